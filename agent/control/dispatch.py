"""What a handler is given, what it gives back, and the table that says which function answers which operation.

Rules of this file: a handler is a plain function. A *read* gets the request and returns data; a *stream* yields it; an
*act* also gets the open transaction, applies itself to it, and returns what to record and what to do once it is in
force. A table refuses a second handler for an operation, and the whole one refuses an operation without any.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from agent.api.operations.schema import Arguments, Operation
from agent.api.peers import Peer
from agent.api.roles import CallerRole, Role
from agent.control.services import ControlServices
from agent.errors import ForbiddenError
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.site.context import SiteContext
from rules.pack.model import Pack
from rules.text import Text
from rules.two_hands import Hand

Json = Any  # what json.dumps takes
_SOMEBODY = "a second officer"  # in the place of who will confirm: nothing that is kept names them


class Hands(NamedTuple):
    """The two who stand behind an act that gives access, by a proposal made ``at`` an instant.

    ``would`` is what it would give, as it was shown when it was proposed; ``seen`` the code of what the second one saw.
    """

    proposal: str
    first: Hand
    second: Hand
    at: str
    would: Mapping[str, Json]
    seen: str


class SecondHandNeeded(NamedTuple):
    """An act that waits for a second hand: what it would give, who proposes it, and what the second has to be."""

    would: Mapping[str, Json]
    hand: Hand
    asked: tuple[str, ...]
    lapses: datetime


@dataclass(frozen=True, slots=True)
class HandlerRequest:
    """One request of an identified caller. ``at`` is the agent's clock when it was taken up.

    ``received``: the same when it was read. ``arrived``: since when it may have been there (``time.monotonic``). Both
    ``None``: it is one of the agent's own.
    ``partner`` are roles that a second hand brings, ``asked`` those that were needed of it. ``hands``: it is a proposed
    act that is being confirmed; ``waiting``: it keeps one. ``takes_up``: the number of what somebody asked for, whose
    first hand the caller becomes by it. ``rehearsed``: it is applied to see what it gives with a second officer, and
    rolled back.
    """

    op: str
    args: Arguments
    given: Mapping[str, Json]
    peer: Peer
    standing: CallerRole
    at: datetime
    services: ControlServices
    received: datetime | None = None
    partner: frozenset[Role] = frozenset()
    asked: list[frozenset[Role]] = field(default_factory=list)
    hands: Hands | None = None
    waiting: SecondHandNeeded | None = None
    takes_up: str = ""
    rehearsed: bool = False
    arrived: float | None = None

    @property
    def site(self) -> SiteContext:
        """The site the request is about."""
        return self.services.site

    def actor(self) -> dict[str, Json]:
        """Return the caller as the log records it."""
        role = self.hands.second.role if self.hands else self.standing.role
        return {
            "uid": self.peer.uid,
            "gid": self.peer.gid,
            "pid": self.peer.pid,
            "loginuid": self.peer.loginuid,
            "role": str(role) if role else None,
            "person": self.site.facts.person_of_uid(self.peer.uid),
        } | ({} if self.peer.login_known else {"login_known": False})

    def officer(self) -> str:
        """Return who the caller is to the registry: the person of its account, else the bare uid."""
        return self.site.facts.person_of_uid(self.peer.uid) or f"uid:{self.peer.uid}"

    def officers(self) -> tuple[str, ...]:
        """Return who stand behind the act: the caller, and before them whoever has proposed it."""
        if self.rehearsed:
            return self.officer(), _SOMEBODY
        return (self.hands.first.name, self.hands.second.name) if self.hands else (self.officer(),)

    def digest(self, name: str) -> dict[str, Json]:
        """Return what the entry records of a file: its digest and size, instead of its text."""
        data = self.args.text(name).encode()
        return {name: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}}

    def need(self, role: Role) -> None:
        """Raise :class:`ForbiddenError` unless the caller acts as *role*: which one may hang on the arguments.

        A role that a second hand can bring is asked of it.
        """
        if not self.standing.may(frozenset({role})):
            if role in self.partner:
                self.asked.append(frozenset({role}))
                return
            raise ForbiddenError(Text(f"this needs the role {role.text.en}", f"此操作需要{role.text.zh}角色"))


@dataclass(frozen=True, slots=True)
class HandlerResult:
    """What an act came to. ``log_fields`` replace arguments in the entry (a file's digest for its text).

    ``gives``: with these arguments it gives access, whether or not anybody gains a right by it today.
    ``outside``: what was seen of the host and is written down; it must be the same when a second officer confirms it.
    ``pack`` is the rule pack that is in force after the commit, if it is another one. ``cut`` are people whose access
    is ended by a run that the act asks for itself.

    ``prepare`` writes what must be on the disk before the act is recorded; it may raise ``ShoumiError``, and is left
    out when the act is only rehearsed.

    ``on_commit`` runs right after the commit, before the decider hears of it. ``on_ack`` runs once the decider has
    acknowledged; what it returns is added to ``result``. ``on_logged`` follows it, and is told the number of the entry.
    """

    result: dict[str, Json] = field(default_factory=dict)
    log_fields: Mapping[str, Json] = field(default_factory=dict)
    pack: Pack | None = None
    cut: frozenset[str] = frozenset()
    gives: bool = False
    outside: Mapping[str, Json] = field(default_factory=dict)
    prepare: Callable[[], None] | None = None
    on_commit: Callable[[], None] | None = None
    on_ack: Callable[[], dict[str, Json]] | None = None
    on_logged: Callable[[int], dict[str, Json]] | None = None


Act = Callable[[HandlerRequest, RegistryTransaction], HandlerResult]
Read = Callable[[HandlerRequest], Json]
Stream = Callable[[HandlerRequest], Iterator[Json]]
_Handler = TypeVar("_Handler", bound=Callable[..., Any])


class HandlerTable:
    """Which function answers which operation: one table a family, and :meth:`union` of all of them."""

    def __init__(self) -> None:
        self.acts: dict[str, Act] = {}
        self.reads: dict[str, Read] = {}
        self.streams: dict[str, Stream] = {}

    def act(self, op: str) -> Callable[[Act], Act]:
        """Bind the handler of an act."""
        return self._binder(self.acts, op)

    def read(self, op: str) -> Callable[[Read], Read]:
        """Bind the handler of a question with one answer."""
        return self._binder(self.reads, op)

    def stream(self, op: str) -> Callable[[Stream], Stream]:
        """Bind the handler of a question with many answers. ``None`` among them means: nothing new yet, ask again."""
        return self._binder(self.streams, op)

    @classmethod
    def union(cls, families: Iterable["HandlerTable"], operations: Mapping[str, Operation]) -> "HandlerTable":
        """Return one table for *operations*; raise ``LookupError`` unless each has exactly the handler it declares."""
        whole = cls()
        for family in families:
            for kind in ("acts", "reads", "streams"):
                for op, handler in getattr(family, kind).items():
                    whole._binder(getattr(whole, kind), op)(handler)
        for op, operation in operations.items():
            kind = "acts" if operation.act else "streams" if operation.stream else "reads"
            if op not in getattr(whole, kind):
                raise LookupError(f"no handler among the {kind} answers `{op}`")
        if strangers := whole._bound() - operations.keys():
            raise LookupError(f"handlers without an operation: {', '.join(sorted(strangers))}")
        return whole

    def _binder(self, table: dict[str, _Handler], op: str) -> Callable[[_Handler], _Handler]:
        if op in self._bound():
            raise LookupError(f"`{op}` has a handler already")

        def bind(handler: _Handler) -> _Handler:
            table[op] = handler
            return handler

        return bind

    def _bound(self) -> set[str]:
        return {*self.acts, *self.reads, *self.streams}
