"""One agent's site, as a process of it sees it: what is registered, which rules hold, what time it is, who records.

Rules of this file: reading only. The control process and the process of departures have one each; every thread gets
readers of its own, because a connection to the registry belongs to one thread at a time.
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
    """The time the decider judges by, in nanoseconds since 1970."""

    def now(self) -> int: ...  # noqa: D102
    def ahead(self) -> int: ...  # noqa: D102


class SiteContext:
    """The site at *home*. For any thread; members may raise :class:`agent.errors.ShoumiError` and ``FatalError``.

    Leaving the block closes what the threads read with: by then none of them asks any more.
    """

    def __init__(self, home: Home, audit: AcknowledgingWriter, clock: Clock) -> None:
        self.home = home
        self.audit = audit
        self.clock = clock
        self.stores = StoreCheck(home)  # looked at by the thread of acts
        self.logged_roles: RoleGroups | None = None  # the groups that only the log knows, of an older registry
        self.trial_over = False  # the trial has ended, as registry or log have said since this process began
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
        """This thread's own reader of what decisions rest on."""
        return self._facts.mine()

    @property
    def lists(self) -> RegistryQueries:
        """This thread's own reader of everything on file."""
        return self._lists.mine()

    def epoch(self) -> int:
        """Return the epoch an entry of now is written under: of an older registry, the one that the log proves."""
        return max(self.facts.epoch(), self.stores.now.proven) if self.stores.now.older else self.facts.epoch()

    def now(self) -> datetime:
        """Return the agent's time: what the decider judges by."""
        return instant(self.clock.now())

    def role_groups(self) -> RoleGroups:
        """Return the OS groups of the three roles; none of a trial.

        A trial comes back by no older registry, and by none whose setting is gone: the groups are nobody's then.
        """
        if self.stores.now.older and self.logged_roles is not None:
            return self.logged_roles
        found = role_groups.read(self.facts.role_groups())
        self.trial_over = self.trial_over or found.configured
        return role_groups.NOBODY if self.trial_over and not found.configured else found

    def glass_is_broken(self) -> bool:
        """Whether root restores offices now (:mod:`agent.api.operations.break_glass`). Never by an older registry."""
        until = self.facts.break_glass().broken_until
        return until is not None and self.now() < until and not self.stores.now.older

    def was_on_host(self, uid: int) -> bool:
        """Whether this host had the account *uid* when it was bound to its person."""
        return self.facts.was_on_host(uid)

    def pack(self) -> Pack:
        """Return the pack in force; raise :class:`agent.errors.RefusedError` when the file is damaged."""
        return self._pack.read()


def agent_clock(home: Home) -> FollowedClock:
    """Return the agent's clock, which is the decider's."""
    return FollowedClock(home.clock)
