"""Policy snapshot of the decider: areas, services and the pack, read from the home directory.

Rules of this file: it is read whole or not at all. When it cannot be read there is no source of verdicts, and
everything is denied until it can be read again. Known areas stay known; until areas were read once, every object counts
as inside one. A registry that lacks entries of the log (:mod:`agent.registry.stores`) is read only for the places and
modes of areas: its every verdict is a denial, under the epoch that the log proves.
"""

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping

from agent.errors import FatalError, ShoumiError
from agent.guard.objects import Root
from agent.guard.programs import Hashed, RegisteredPrograms
from agent.guard.verdicts import VerdictSource
from agent.registry.facts import FactsReader
from agent.registry.rows.areas import AreaLocation
from agent.registry.stores import CLOSED, StoreCheck
from agent.runtime.home import Home
from agent.runtime.pack_cache import PackCache
from rules.pack.reader import PackError
from rules.text import Message


class PolicySnapshot:
    """One reading of the site. Owner: the decider's one thread."""

    def __init__(self, home: Home, *, only_observes: bool = False) -> None:
        """*only_observes*: the value of a predecessor, until the site can be read."""
        self._home = home
        self._reader: FactsReader | None = None
        self._pack = PackCache(home.pack)
        self._read_epoch = -1
        self._places: tuple[AreaLocation, ...] | None = None  # of which ``roots`` are
        self.stores = StoreCheck(home)
        self.source: VerdictSource | None = None
        self.trouble: FatalError | ShoumiError | None = None
        self.roots: tuple[Root, ...] | None = None
        self.always_ask: frozenset[str] = frozenset()
        self.observed: frozenset[str] = frozenset()  # areas in observe mode: no failure denies there
        # Whether there are areas, all in observe mode: then no failure may deny.
        self.only_observes = only_observes
        self.epoch = 0
        self._asks_logins = False  # the trial has ended, permanently
        self.programs = RegisteredPrograms()
        self.hashed: Hashed = frozenset()  # programs with a required hash, as read by the control process

    def reload(self, at_least: int = 0) -> None:
        """Read everything again; afterwards there is a ``source``, or ``trouble`` names the reason.

        *at_least* is an epoch the registry is known to have.
        """
        try:
            pack = self._pack.parsed()
            if self._reader is None:
                self._reader = FactsReader(self._home.registry)
            with self._reader.snapshot() as epoch:
                places = self._reader.places()
                named = bool(self._reader.role_groups())
                self._asks_logins = self._asks_logins or named or self._home.trial_over.exists()
                programs = RegisteredPrograms(self._reader.programs(), asks_logins=self._asks_logins)
            source = VerdictSource(self._reader, pack, programs, self.hashed)
            older = self.stores.check(self._reader, at_least).older
            if older:
                logged = _logged_areas(self._home)
                places = tuple(_as_logged(places, logged))
                source = source._replace(closed=CLOSED, enforced=frozenset(logged))
            if places is not self._places:
                self._places, self.roots = places, tuple(map(_root, places))
            self.always_ask = frozenset(place.area for place in places if place.reads == "each")
            self.observed = frozenset(place.area for place in places if not place.enforced)
            self.only_observes = bool(places) and not any(place.enforced for place in places)
            self.programs = programs
            self._read_epoch, self.epoch = epoch, max(epoch, self.stores.now.proven) if older else epoch
            self.source, self.trouble = source, None
        except (FatalError, ShoumiError) as error:
            self._distrust(error)
        except (OSError, ValueError, PackError) as error:
            reason = error.text if isinstance(error, PackError) else str(error)
            self._distrust(FatalError(Message("guard.rules-unreadable", error=reason)))

    def take_hashed(self, hashed: Hashed) -> bool:
        """Take the hashed programs; return whether they differ from the former."""
        if hashed == self.hashed:
            return False
        self.hashed = hashed
        if self.source is not None:
            self.source = self.source._replace(hashed=hashed)
        return True

    def moved(self) -> bool:
        """Return whether the registry has changed since it was last read, or could not be read then."""
        if self._reader is None:
            return True
        try:
            return self._reader.changed() and self._reader.epoch() != self._read_epoch
        except (FatalError, ShoumiError) as error:
            self._distrust(error)  # a reader of a file that was replaced must not be asked again
            return True

    def close(self) -> None:
        """Close the registry; this snapshot decides nothing any more."""
        self.source = None
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def _distrust(self, error: FatalError | ShoumiError) -> None:
        self.close()
        self.trouble = error


def _logged_areas(home: Home) -> dict[str, str | None]:
    """Return the areas the log proves to be enforced, and their paths: ``None`` where the registry has it."""
    with contextlib.suppress(OSError, ValueError, TypeError, RecursionError):
        logged = dict(json.loads(home.logged_areas.read_text(encoding="utf-8")))
        return {str(area): path if isinstance(path, str) else None for area, path in logged.items()}
    return {}


def _as_logged(places: Iterable[AreaLocation], logged: Mapping[str, str | None]) -> Iterator[AreaLocation]:
    for place in places:
        yield place._replace(enforced=place.enforced or place.area in logged)
    for name, path in logged.items():
        if path is not None:
            yield AreaLocation(name, os.fsencode(path), "quiet", alone=False, enforced=True, sealed=False)


def _root(place: AreaLocation) -> Root:
    return Root(place.path, place.area, alone=place.alone, enforced=place.enforced, sealed=place.sealed)
