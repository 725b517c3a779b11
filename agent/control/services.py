"""What handlers work with: everything the control process owns, opened once.

Rules of this file: wiring only. The registry is written by the thread of acts alone; ``facts`` is a reader per thread.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.control.decider_client import DeciderClient
from agent.control.intent_log import WriteAheadIntent
from agent.control.pack_cache import PackCache
from agent.kernel import open_files
from agent.kernel.fanotify import FanotifyGroups
from agent.log.indexer import BackgroundIndexer
from agent.log.search import Filter, query
from agent.log.sessions import LogSessions
from agent.log.verifier_supervisor import NOTHING_YET, VerifiedState
from agent.offboard.plan import Cause
from agent.registry.facts import FactsReader
from agent.registry.queries.registry_queries import RegistryQueries
from agent.registry.store import Registry
from agent.rooms.interface import DoorService, NotServed
from agent.runtime.clock import AgentClock, instant, nanoseconds
from agent.runtime.config import Config
from agent.runtime.config import load as load_config
from agent.runtime.home import Home
from agent.volumes.protection import Protection
from rules.pack.reader import Pack

Departs = Callable[[str, int], None]
Departed = Callable[[str, str, int], Mapping[str, Any] | None]
Unrecorded = Callable[[str, Sequence[str], Cause], None]
Held = Callable[[str, str, int], None]
Survey = Callable[[str, Cause], Mapping[str, Any]]


def _nothing_yet(_case: str, _pid: int) -> None:
    """Do nothing before the decider has heard of it."""


def _nothing_more(_person: str, _case: str, _pid: int) -> None:
    """Do nothing beyond what the registry and the decider do."""


def _nothing_stopped(_person: str, _approvers: Sequence[str], _cause: Cause) -> None:
    """Stop nobody."""


def _nothing_back(_name: str) -> None:
    """Give nothing back beyond the registry."""


def _nothing_verified() -> VerifiedState:
    """Know nothing of the record: nobody reads it before the verifier is served."""
    return NOTHING_YET


def _nothing_seen(_person: str, _cause: Cause) -> Mapping[str, Any]:
    """See nothing: nobody looks before the departures are served."""
    return {}


@dataclass(slots=True)
class ControlServices:
    """One agent's control process. Made by :func:`open_services`.

    ``departs(case id, pid)`` is called by the thread of acts when the approval of a departure is committed, before the
    decider hears of it. ``departed(person, case id, pid)`` is called by it each time a departure is approved or
    confirmed, once the decider has acknowledged that the person is denied; *pid* is the command that asked for it, and
    what it returns is added to the answer. ``unrecorded(person, approvers, cause)`` is called for what HR has approved
    or sent and what cannot be written down now, again and again until it can be. ``held(person, hold, pid)`` is called
    like ``departed`` for a hold, and returns at once; so is ``restored(name)`` when a grant is given again
    (:mod:`agent.control.offboarding.triggers`).
    ``survey(person, cause)`` tells what a revocation would end now. ``doors`` is whoever serves the doors.
    ``verified()`` tells how far the record is whole, ``blind()`` for whose sake every read is asked about
    (:mod:`agent.control.quiet_scan`).
    """

    home: Home
    config: Config
    registry: Registry
    decider: DeciderClient
    intent: WriteAheadIntent
    clock: AgentClock
    indexing: BackgroundIndexer
    protection: Protection
    departs: Departs = _nothing_yet
    departed: Departed = _nothing_more
    unrecorded: Unrecorded = _nothing_stopped
    held: Held = _nothing_more
    restored: Callable[[str], None] = _nothing_back
    survey: Survey = _nothing_seen
    blind: Callable[[], frozenset[open_files.HeldFile]] = frozenset
    verified: Callable[[], VerifiedState] = _nothing_verified
    readings: LogSessions = field(default_factory=LogSessions)
    doors: DoorService = field(default_factory=NotServed)
    _pack: PackCache = field(init=False)
    _readers: threading.local = field(default_factory=threading.local)

    def __post_init__(self) -> None:
        self._pack = PackCache(self.home.pack)

    @property
    def facts(self) -> FactsReader:
        """This thread's own reader of the registry."""
        reader: FactsReader | None = getattr(self._readers, "facts", None)
        if reader is None:
            reader = self._readers.facts = FactsReader(self.home.registry)
        return reader

    @property
    def lists(self) -> RegistryQueries:
        """This thread's own reader for lists."""
        reader: RegistryQueries | None = getattr(self._readers, "lists", None)
        if reader is None:
            reader = self._readers.lists = RegistryQueries(self.home.registry)
        return reader

    def now(self) -> datetime:
        """Return the agent's time: never earlier than the last entry of the log."""
        return instant(self.clock.now())

    def pack(self) -> Pack:
        """Return the pack in force; raise :class:`RefusedError` when the file is damaged."""
        return self._pack.read()


@contextmanager
def open_services(home: Home, decider: DeciderClient, groups: FanotifyGroups | None) -> Iterator[ControlServices]:
    """Open everything of *home*, and close it at the end of the block.

    *groups* is ``None`` in a rehearsal. Raises :class:`agent.errors.ShoumiError` and :class:`agent.errors.FatalError`.
    """
    config = load_config(home.config)
    with ExitStack() as stack:
        registry = stack.enter_context(Registry(home.registry))
        intent = WriteAheadIntent(home.run / "intent")
        stack.callback(intent.close)
        indexing = BackgroundIndexer(home.log, home.index)
        stack.callback(indexing.close)
        indexing.fresh()
        yield ControlServices(
            home=home,
            config=config,
            registry=registry,
            decider=decider,
            intent=intent,
            clock=AgentClock(last_time(home)),
            indexing=indexing,
            protection=Protection(home, groups, config.minimum_tier),
        )


def last_time(home: Home) -> int:
    """Return the instant of the newest entry found in the index, in nanoseconds: the agent's clock starts there."""
    row = next(query(home.index, Filter(limit=1)), None)
    return nanoseconds(datetime.fromisoformat(str(row.entry["time"]))) if row else 0
