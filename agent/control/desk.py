"""What handlers work with: everything the control process owns, opened once.

Rules of this file: wiring only. The registry is written by the thread of acts alone; ``facts`` is a reader per thread.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agent.config import Config
from agent.config import load as load_config
from agent.control.decider import Decider
from agent.control.indexing import Indexing
from agent.control.intent import Intent
from agent.control.protected import Groups
from agent.control.protection import Protection
from agent.errors import Refused
from agent.guard.clock import Clock, instant, nanoseconds
from agent.home import Home
from agent.log.search import Filter, query
from agent.registry.facts import FactsReader
from agent.registry.lists import Lists
from agent.registry.store import Registry
from rules.pack import Pack, PackError, load
from rules.text import Text

Departed = Callable[[str, str], Mapping[str, Any] | None]
Survey = Callable[[str], Mapping[str, Any]]


def _nothing_more(_person: str, _case: str) -> None:
    """Do nothing beyond what the registry and the decider do."""


def _nothing_seen(_person: str) -> Mapping[str, Any]:
    """See nothing: nobody looks before the departures are served."""
    return {}


@dataclass(slots=True)
class Desk:
    """One agent's control process. Made by :func:`open_desk`.

    ``departed(person, case id)`` is called by the thread of acts each time a departure is approved, once the decider
    has acknowledged that the person is denied; what it returns is added to the answer. ``survey(person)`` tells what a
    departure would end now.
    """

    home: Home
    config: Config
    registry: Registry
    decider: Decider
    intent: Intent
    clock: Clock
    indexing: Indexing
    protection: Protection
    departed: Departed = _nothing_more
    survey: Survey = _nothing_seen
    _readers: threading.local = field(default_factory=threading.local)

    @property
    def facts(self) -> FactsReader:
        """This thread's own reader of the registry."""
        reader: FactsReader | None = getattr(self._readers, "facts", None)
        if reader is None:
            reader = self._readers.facts = FactsReader(self.home.registry)
        return reader

    @property
    def lists(self) -> Lists:
        """This thread's own reader for lists."""
        reader: Lists | None = getattr(self._readers, "lists", None)
        if reader is None:
            reader = self._readers.lists = Lists(self.home.registry)
        return reader

    def now(self) -> datetime:
        """Return the agent's time: never earlier than the last entry of the log."""
        return instant(self.clock.now())

    def pack(self) -> Pack:
        """Return the pack in force; raise :class:`Refused` when the file is damaged."""
        try:
            return load(self.home.pack.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, PackError) as error:
            raise Refused(
                Text(f"the pack in force cannot be read: {error}", f"无法读取生效的规则包：{error}"),
                Text("see `shoumi pack check`", "参见 `shoumi pack check`"),
            ) from error


@contextmanager
def open_desk(home: Home, decider: Decider, groups: Groups | None) -> Iterator[Desk]:
    """Open everything of *home*, and close it at the end of the block.

    *groups* is ``None`` in a rehearsal. Raises :class:`agent.errors.ShoumiError` and :class:`agent.errors.Fatal`.
    """
    config = load_config(home.config)
    with ExitStack() as stack:
        registry = stack.enter_context(Registry(home.registry))
        intent = Intent(home.run / "intent")
        stack.callback(intent.close)
        indexing = Indexing(home.log, home.index)
        stack.callback(indexing.close)
        indexing.fresh()
        yield Desk(
            home=home,
            config=config,
            registry=registry,
            decider=decider,
            intent=intent,
            clock=Clock(_last_time(home)),
            indexing=indexing,
            protection=Protection(home, groups, config.minimum_tier),
        )


def _last_time(home: Home) -> int:
    """Return the instant of the newest entry found in the index, in nanoseconds: the agent's clock starts there."""
    row = next(query(home.index, Filter(limit=1)), None)
    return nanoseconds(datetime.fromisoformat(str(row.entry["time"]))) if row else 0
