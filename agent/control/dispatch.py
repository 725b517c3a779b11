"""Handler interface: requests, results, and the table of operations and their handlers.

Rules of this file: a handler is a plain function. A *read* takes the request and returns data; a *stream* yields data;
an *act* also takes the open transaction, applies itself to it, and returns what to record and what to do once it is in
force. A table rejects a second handler for an operation; the union rejects an operation without a handler.
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
from rules.text import Message
from rules.two_hands import Hand

Json = Any  # what json.dumps takes
_SOMEBODY = "a second officer"  # stands for the officer who will confirm; never stored


class Hands(NamedTuple):
    """The two officers of an act that grants access; the proposal was made ``at`` an instant.

    ``would`` is the access it would grant, as shown when it was proposed; ``seen_code`` is the code of what the second
    officer reviewed.
    """

    proposal: str
    first: Hand
    second: Hand
    at: str
    would: Mapping[str, Json]
    seen_code: str


class SecondHandNeeded(NamedTuple):
    """An act that waits for a second officer: what it would grant, its proposer, and the roles the second needs."""

    would: Mapping[str, Json]
    hand: Hand
    roles_needed: tuple[str, ...]
    lapses: datetime


@dataclass(frozen=True, slots=True)
class HandlerRequest:
    """One request of an identified caller. ``at``: the agent's clock when processing began.

    ``received``: the same clock when it was read. ``arrived``: its earliest possible arrival (``time.monotonic``). Both
    are ``None`` for a request of the agent itself. ``partner``: roles that a second officer may bring;
    ``roles_needed``: those of them that are needed. ``hands``: it confirms a proposed act; ``waiting``: it stores a
    proposal. ``takes_up``: the number of a person's request whose proposer the caller becomes. ``rehearsed``: it is
    applied to see what it grants with a second officer, and rolled back.
    """

    op: str
    args: Arguments
    raw_args: Mapping[str, Json]
    peer: Peer
    standing: CallerRole
    at: datetime
    services: ControlServices
    received: datetime | None = None
    partner: frozenset[Role] = frozenset()
    roles_needed: list[frozenset[Role]] = field(default_factory=list)
    hands: Hands | None = None
    waiting: SecondHandNeeded | None = None
    takes_up: str = ""
    rehearsed: bool = False
    arrived: float | None = None

    @property
    def site(self) -> SiteContext:
        """The site of the request."""
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
        """Return the name of the caller in the registry: the person of the account, else ``uid:N``."""
        return self.site.facts.person_of_uid(self.peer.uid) or f"uid:{self.peer.uid}"

    def officers(self) -> tuple[str, ...]:
        """Return the officers of the act: the proposer, if any, then the caller."""
        if self.rehearsed:
            return self.officer(), _SOMEBODY
        return (self.hands.first.name, self.hands.second.name) if self.hands else (self.officer(),)

    def digest(self, name: str) -> dict[str, Json]:
        """Return the digest and size of a file, which the entry records instead of its text."""
        content = self.args.text(name).encode()
        return {name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}}

    def need(self, role: Role) -> None:
        """Raise :class:`ForbiddenError` unless the caller acts as *role*; for roles that depend on the arguments.

        A role that a second officer can bring is added to ``roles_needed``.
        """
        if not self.standing.may(frozenset({role})):
            if role in self.partner:
                self.roles_needed.append(frozenset({role}))
                return
            raise ForbiddenError(Message("control.operation-needs-role", role=role.text))


@dataclass(frozen=True, slots=True)
class HandlerResult:
    """The result of an act. ``log_fields`` replace arguments in the entry (a file's digest for its text).

    ``gives``: with these arguments the act grants access, whether or not anyone gains a right by it today. ``outside``:
    observed state of the host that is recorded; it must be unchanged when a second officer confirms. ``pack``: the rule
    pack in force after the commit, if it changes. ``cut``: people whose access is ended by a run that the act itself
    requests.

    ``prepare`` writes what must be on disk before the act is recorded; it may raise ``ShoumiError``, and is skipped in
    a rehearsal.

    ``on_commit`` runs right after the commit, before the decider is notified. ``on_ack`` runs after the decider has
    acknowledged; its return value is added to ``reply``. ``on_logged`` follows with the number of the entry.
    """

    reply: dict[str, Json] = field(default_factory=dict)
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
    """Table of operations and their handlers: one per family, and :meth:`union` of all."""

    def __init__(self) -> None:
        self.acts: dict[str, Act] = {}
        self.reads: dict[str, Read] = {}
        self.streams: dict[str, Stream] = {}

    def act(self, op: str) -> Callable[[Act], Act]:
        """Bind the handler of an act."""
        return self._binder(self.acts, op)

    def read(self, op: str) -> Callable[[Read], Read]:
        """Bind the handler of a query with one answer."""
        return self._binder(self.reads, op)

    def stream(self, op: str) -> Callable[[Stream], Stream]:
        """Bind the handler of a query with many answers. A ``None`` among them means: nothing new yet, poll again."""
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
