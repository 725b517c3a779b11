"""What a handler gets, what it gives back, and the table that binds it to its operation.

Rules of this file: a handler is a plain function. A *read* gets the question and returns data; a *stream* yields it;
an *act* also gets the open change, applies itself to it, and returns what to record and what to do once it is in force.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agent.api.operations.schema import Arguments
from agent.api.peers import Peer
from agent.api.roles import CallerRole, Role
from agent.errors import ForbiddenError
from rules.text import Text

if TYPE_CHECKING:
    from agent.control.services import ControlServices
    from agent.registry.repositories.registry_transaction import RegistryTransaction

Json = Any  # what json.dumps takes


@dataclass(frozen=True, slots=True)
class HandlerRequest:
    """One request of an identified caller. ``at`` is the agent's clock when it was taken up."""

    op: str
    args: Arguments
    given: Mapping[str, Json]
    peer: Peer
    standing: CallerRole
    at: datetime
    desk: "ControlServices"

    def actor(self) -> dict[str, Json]:
        """Return the caller as the log records it."""
        role = self.standing.role
        return {
            "uid": self.peer.uid,
            "gid": self.peer.gid,
            "pid": self.peer.pid,
            "loginuid": self.peer.loginuid,
            "role": role.value if role else None,
        }

    def officer(self) -> str:
        """Return who the caller is to the registry: the person of its account, else the bare uid."""
        return self.desk.facts.person_of_uid(self.peer.uid) or f"uid:{self.peer.uid}"

    def digest(self, name: str) -> dict[str, Json]:
        """Return what the entry records of a file: its digest and size, instead of its text."""
        data = self.args.text(name).encode()
        return {name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}}

    def need(self, role: Role) -> None:
        """Raise :class:`ForbiddenError` unless the caller acts as *role*: which one may hang on the arguments."""
        if not self.standing.may(frozenset({role})):
            raise ForbiddenError(Text(f"this needs the role {role.text.en}", f"此操作需要{role.text.zh}角色"))


@dataclass(frozen=True, slots=True)
class HandlerResult:
    """What an act came to. ``recorded`` replaces arguments in the entry (a file's digest for its text).

    ``committed`` runs right after the commit, before the decider hears of it. ``after`` runs once the decider has
    acknowledged; what it returns is added to ``result``. ``then`` follows it, and is told the number of the entry.
    """

    result: dict[str, Json] = field(default_factory=dict)
    recorded: Mapping[str, Json] = field(default_factory=dict)
    committed: Callable[[], None] | None = None
    after: Callable[[], dict[str, Json]] | None = None
    then: Callable[[int], dict[str, Json]] | None = None


Act = Callable[[HandlerRequest, "RegistryTransaction"], HandlerResult]
Read = Callable[[HandlerRequest], Json]
Stream = Callable[[HandlerRequest], Iterator[Json]]

ACTS: dict[str, Act] = {}
READS: dict[str, Read] = {}
STREAMS: dict[str, Stream] = {}


def act(op: str) -> Callable[[Act], Act]:
    """Bind the handler of an act."""
    return lambda handler: ACTS.setdefault(op, handler)


def read(op: str) -> Callable[[Read], Read]:
    """Bind the handler of a question with one answer."""
    return lambda handler: READS.setdefault(op, handler)


def stream(op: str) -> Callable[[Stream], Stream]:
    """Bind the handler of a question with many answers. ``None`` among them means: nothing new yet, ask again."""
    return lambda handler: STREAMS.setdefault(op, handler)
