"""The registry and the log of one home, held against each other: whether the registry lacks what the log holds.

Rules of this file:
- the comparison itself is pure (:mod:`agent.registry.lineage`); here is only looking. Nothing is written;
- the log is read from its end, back to the first entry that was strictly written under the epoch of its moment, so a
  look costs the same however long the log is: the decider's accesses, and starts. Every act that can matter lies behind
  that entry, but for the one the intent names, which is looked for until it is found;
- where the two have parted it is read back to an entry from before that, but no more than 64 MiB: what cannot be seen
  then counts as older;
- a registry that was once found good is asked for nothing but its epoch, which never goes back.
"""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from agent.log import backward
from agent.registry import intent as intents
from agent.registry.facts import FactsReader
from agent.registry.lineage import Intent, LogEvidence, LoggedAct, RecordedChange, StoreRelation, compare
from agent.runtime.home import Home
from rules.model import Verdict
from rules.text import Text

_MARGIN = 1 << 20  # bytes beyond the first entry of a strict kind: an act under way is recorded before it is in force
_PARTED = 64 << 20
_EPOCH = re.compile(rb'"epoch":([1-9][0-9]{0,15})[,}]')
_STRICT = (b'"kind":"access"', b'"kind":"start"')

OLDER = Text(
    "the registry lacks acts that the log holds: it is a copy from before them, and nothing is decided from it",
    "登记库缺少日志已记录的操作：这是此前的旧副本，不据以作任何判定",
)
REMEDY = Text(
    "put the right registry back and restart the agent; or see what would be lost: shoumi registry show",
    "恢复正确的登记库并重启代理；或先查看将丢失的内容：shoumi registry show",
)
CLOSED = Verdict(allow=False, rule="registry-older", clauses=(), because=OLDER, change=REMEDY)


class StoreCheck:
    """What is known of the two stores of *home*. One thread calls :meth:`check`; ``now`` may be read by any.

    A new one knows nothing, and says of the registry neither that it is older nor that it is not.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._good: FactsReader | None = None  # what was found good; another reader is another file, perhaps
        self._in_force = 0
        self.now = StoreRelation()

    def check(self, reader: FactsReader, at_least: int = 0) -> StoreRelation:
        """Hold the registry that *reader* reads against the log, and against the epochs it has had here.

        *at_least* is an epoch somebody says it has. Raises ``OSError`` and what *reader* raises.
        """
        epoch = reader.epoch()
        self._in_force = max(self._in_force, at_least)
        if reader is self._good and epoch >= self._in_force:
            self._in_force = epoch
            return self.now
        return self.look(reader)

    def look(self, reader: FactsReader) -> StoreRelation:
        """The same, looking at everything again."""
        found = look(reader, self._home)
        if found.older and not self.now.older:
            found = look(reader, self._home)  # an act may have been done between two of the readings
        epoch = reader.epoch()
        if epoch < self._in_force:
            known = max(found.proven, self._in_force)
            found = replace(found, older=True, log_short=False, proven=known, highest=max(found.highest, known))
        self._good = None if found.older else reader
        self._in_force = max(self._in_force, found.proven)
        self.now = found
        return found


def look(reader: FactsReader, home: Home) -> StoreRelation:
    """Compare the registry that *reader* reads with the log and the intent of *home*.

    Raises ``OSError`` when one of these cannot be read, and what *reader* raises.
    """
    while True:
        with reader.snapshot() as epoch:
            newest = reader.newest_change()
        # Last of all: it is emptied after the commit, so whoever finds it empty finds a change there was in the file.
        first = intents.noted(home.intent)
        seen = evidence(reader, newest, home.log, first)
        noted = intents.noted(home.intent)
        if noted == first and reader.epoch() == epoch:
            return compare(epoch, newest, seen, noted)


def evidence(
    reader: FactsReader, newest: RecordedChange | None, log: Path, intent: Intent | None = None
) -> LogEvidence:
    """Return what *log* says of a registry whose last recorded change is *newest*."""
    last = backward.last(log)
    shared = _shared(reader, newest, log, last)
    since, parted = shared.entry if shared else 0, shared != newest
    # Of two that have parted, each act behind what both know has an epoch above that.
    enough = (shared.epoch if shared else 0) if parted else sys.maxsize
    acts: list[LoggedAct] = []
    in_force = read = strict = 0
    wanted, after = (intent or {}).get("epoch", 0), (intent or {}).get("after", 0)
    whole = True
    for seq, line in backward.lines(log):  # closed by its own end: what is left of it is dropped here
        if seq <= since:
            break
        read += len(line)
        if act := _act(seq, line):
            acts.append(act)
            if act.epoch == wanted:
                wanted = 0
        elif b'"repeats":' not in line and (found := _EPOCH.search(line)):
            epoch = int(found[1])
            in_force = max(in_force, epoch)
            if not strict and epoch <= enough and any(kind in line for kind in _STRICT):
                strict = read
        if parted and read > _PARTED:
            whole = False
            break
        if strict and read > strict + _MARGIN and (wanted <= in_force or seq <= after):
            break
    return LogEvidence(last, shared, tuple(reversed(acts)), in_force, whole)


def _shared(reader: FactsReader, newest: RecordedChange | None, log: Path, last: int) -> RecordedChange | None:
    """Return the newest change whose entry is in the log. Up to that one all are, and behind it none."""
    if newest is None or _logged(newest, log, last):
        return newest
    rows = reader.recorded_changes()
    low, high = 0, len(rows)
    while low < high:
        middle = (low + high) // 2
        if _logged(rows[middle], log, last):
            low = middle + 1
        else:
            high = middle
    return rows[low - 1] if low else None


def _logged(change: RecordedChange, log: Path, last: int) -> bool:
    line = backward.find(log, change.entry) if change.entry <= last else None
    return line is not None and _fields(line).get("change") == change.change


def _act(seq: int, line: bytes) -> LoggedAct | None:
    """Return the act *line* records as done or as not completed."""
    if b'"kind":"act"' not in line:
        return None
    fields = _fields(line)
    outcome, epoch = fields.get("outcome"), fields.get("epoch")
    if fields.get("kind") != "act" or outcome not in ("done", "not-completed") or not isinstance(epoch, int):
        return None
    return LoggedAct(seq, epoch, str(fields.get("change", "")), outcome == "done")


def _fields(line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}
