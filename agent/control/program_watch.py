"""The watch over the programs of services: one that is not the file that was registered is an entry and an alarm.

Rules of this file: a look reads where the site asks for a hash, each state of a file once, in a thread of its own; the
decider is told each time, because it may be another one by now, and lets no such service in before. The entry comes
first, then the alarm; both are made by the thread of acts. Then everybody is asked about anew what they have open.
What was seen is replaced whole, so any thread may read it.
"""

from agent.control.decider_client import DeciderClient
from agent.guard.programs import Hashed
from agent.kernel.program import Program
from agent.registry.rows.services import ServiceProgram
from agent.registry.store import Registry
from agent.site import program_file
from agent.site.context import SiteContext
from agent.site.program_file import TROUBLE, ProgramTrouble
from rules.text import Text
from rules.visible import visible

ALARM = "service-program"  # the kind of the entry and of the alarm

_Read = dict[tuple[str, str, Program], bool]


class ProgramWatch:
    """Looks at the programs again and again."""

    def __init__(self, site: SiteContext, registry: Registry, decider: DeciderClient) -> None:
        self._site = site
        self._registry = registry
        self._decider = decider
        self._read: _Read = {}  # by service, wanted hash and state: whether it has it
        self._told: dict[str, ProgramTrouble] = {}
        self.hashed: Hashed = frozenset()

    def step(self) -> None:
        """Read what has to be read, and tell the decider. Raises :class:`agent.errors.ShoumiError`."""
        wanted = [row for row in self._site.facts.programs() if row.sha256]
        read: _Read = {}
        hashed: set[tuple[str, Program]] = set()
        for row in wanted:
            if program_file.trouble(row) is not None or (state := program_file.state(row)) is None:
                continue
            key = (row.service, row.sha256, state)
            known = self._read.get(key)
            read[key] = program_file.hashed(row) == state if known is None else known
            if read[key]:
                hashed.add((row.service, state))
        self._read, self.hashed = read, frozenset(hashed)
        if wanted:
            self._decider.hashed(self.hashed)

    def trouble(self, row: ServiceProgram) -> ProgramTrouble | None:
        """Return what is wrong with the program of *row* now; of its hash, what the last reading has found."""
        if (found := program_file.trouble(row)) is not None or not row.sha256:
            return found
        state = program_file.state(row)
        has = state is not None and self._read.get((row.service, row.sha256, state), True)
        return None if has else ProgramTrouble.HASH

    def alarms(self) -> None:
        """Write down what has gone wrong since the last look. Raises :class:`agent.errors.ShoumiError`."""
        if self._site.stores.now.older:  # nothing is done by a registry that lacks what the log holds
            return
        rows = self._site.facts.programs()
        now = {row.service: found for row in rows if (found := self.trouble(row)) is not None}
        fresh = [row for row in rows if row.service in now and self._told.get(row.service) != now[row.service]]
        for row in fresh:
            self._alarm(row, now[row.service])
        if fresh:  # what they have open is asked about once more
            self._decider.epoch(self._site.facts.epoch())
        self._told = now

    def _alarm(self, row: ServiceProgram, found: ProgramTrouble) -> None:
        text = trouble_text(row, found)
        if any((one.kind, one.text) == (ALARM, text) for one in self._site.facts.open_alarms()):
            return
        fields = {"kind": ALARM, "alarm": True, "service": row.service, "reason": text.to_json()}
        seq = self._decider.append(fields)
        with self._registry.note(self._site.now()) as note:
            note.alarms.add(ALARM, text, seq=seq)


def trouble_text(row: ServiceProgram, found: ProgramTrouble) -> Text:
    """Return the sentence about the service of *row*."""
    name, path, why = visible(row.service), visible(row.path.decode("utf-8", "surrogateescape")), TROUBLE[found]
    if found is ProgramTrouble.WRITABLE:
        return Text(f"the service `{name}` (`{path}`): {why.en}", f"服务账户 `{name}`（`{path}`）：{why.zh}")
    return Text(
        f"the service `{name}` (`{path}`) is refused: {why.en}; if that is right: shoumi service renew {name}",
        f"服务账户 `{name}`（`{path}`）被拒绝：{why.zh}；如确认无误：shoumi service renew {name}",
    )
