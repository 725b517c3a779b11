"""Context of one agent's site for a process: registry, rule pack, time and audit writer.

Rules of this file: reading only. The control process and the offboarding process have one each; every thread gets its
own readers, because a connection to the registry belongs to one thread at a time.
"""

from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from agent.registry.facts import FactsReader
from agent.registry.queries.registry_queries import RegistryQueries
from agent.registry.stores import StoreCheck
from agent.runtime.audit_writer import AcknowledgingWriter
from agent.runtime.clock import instant
from agent.runtime.clock_file import FollowedClock
from agent.runtime.config import RoleGroups
from agent.runtime.home import Home
from agent.runtime.pack_cache import PackCache
from agent.site import role_groups
from agent.site.thread_readers import ThreadReaders
from rules.pack.reader import Pack


class Clock(Protocol):
    """The time of the decider, in nanoseconds since 1970."""

    def now(self) -> int: ...  # noqa: D102
    def ahead(self) -> int: ...  # noqa: D102


class SiteContext:
    """The site at *home*. For any thread; members may raise :class:`agent.errors.ShoumiError` and ``FatalError``.

    Leaving the block closes the readers of the threads, which must not read any more by then.
    """

    def __init__(self, home: Home, audit: AcknowledgingWriter, clock: Clock) -> None:
        self.home = home
        self.audit = audit
        self.clock = clock
        self.stores = StoreCheck(home)  # checked by the thread of acts
        self.logged_roles: RoleGroups | None = None  # the groups from the log, beside an older registry
        self.trial_over = False  # whether registry or log have shown the end of the trial since this process started
        self._pack = PackCache(home.pack)
        self._facts = ThreadReaders(lambda: FactsReader(home.registry))
        self._lists = ThreadReaders(lambda: RegistryQueries(home.registry))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._facts.close()
        self._lists.close()

    @property
    def facts(self) -> FactsReader:
        """This thread's own reader of facts for decisions."""
        return self._facts.of_this_thread()

    @property
    def lists(self) -> RegistryQueries:
        """This thread's own reader of lists."""
        return self._lists.of_this_thread()

    def epoch(self) -> int:
        """Return the epoch for a log entry now: that of the registry, or the proven one beside an older registry."""
        return max(self.facts.epoch(), self.stores.now.proven) if self.stores.now.older else self.facts.epoch()

    def now(self) -> datetime:
        """Return the agent's time, which is the decider's."""
        return instant(self.clock.now())

    def role_groups(self) -> RoleGroups:
        """Return the OS groups of the three roles; no groups in a trial.

        A trial never returns by an older registry or by a missing setting: then nobody has a role.
        """
        if self.stores.now.older and self.logged_roles is not None:
            return self.logged_roles
        groups = role_groups.read(self.facts.role_groups())
        self.trial_over = self.trial_over or groups.configured
        return role_groups.NOBODY if self.trial_over and not groups.configured else groups

    def glass_is_broken(self) -> bool:
        """Return whether break-glass access is open (:mod:`agent.api.operations.break_glass`), never if older."""
        until = self.facts.break_glass().broken_until
        return until is not None and self.now() < until and not self.stores.now.older

    def was_on_host(self, uid: int) -> bool:
        """Return whether this host had the account *uid* when it was assigned to its person."""
        return self.facts.was_on_host(uid)

    def pack(self) -> Pack:
        """Return the pack in force; raise :class:`agent.errors.RefusedError` when the file is damaged."""
        return self._pack.read()


def agent_clock(home: Home) -> FollowedClock:
    """Return the agent's clock, which is the decider's."""
    return FollowedClock(home.clock)
