"""Program watch: an entry and an alarm when the program of a service account is not the registered file.

Rules of this file: a check reads programs with a registered hash, each state of a file once, in its own thread; the
decider gets the result each time, because it may be a new process, and admits no such service account before. The entry
comes first, then the alarm; the thread of acts writes both. Then all open files are checked again. Results are replaced
as a whole, so any thread may read them.
"""

from agent.control.decider_client import DeciderClient
from agent.guard.programs import Hashed
from agent.kernel.program import Program
from agent.registry.rows.services import ServiceProgram
from agent.registry.store import Registry
from agent.site import program_file
from agent.site.context import SiteContext
from agent.site.program_file import TROUBLE, ProgramTrouble
from rules.text import Message, Sentence
from rules.visible import visible

ALARM = "service-program"  # the kind of the entry and of the alarm

_Read = dict[tuple[str, str, Program], bool]


class ProgramWatch:
    """Checks the programs periodically."""

    def __init__(self, site: SiteContext, registry: Registry, decider: DeciderClient) -> None:
        self._site = site
        self._registry = registry
        self._decider = decider
        self._read: _Read = {}  # by service, registered hash and state: whether the hash matches
        self._reported: dict[str, ProgramTrouble] = {}
        self.hashed: Hashed = frozenset()

    def step(self) -> None:
        """Hash programs where needed, and report to the decider. Raises :class:`agent.errors.ShoumiError`."""
        wanted = [row for row in self._site.facts.programs() if row.sha256]
        read: _Read = {}
        hashed: set[tuple[str, Program]] = set()
        for row in wanted:
            if program_file.trouble(row) is not None or (state := program_file.state(row)) is None:
                continue
            key = (row.service, row.sha256, state)
            matches = self._read.get(key)
            read[key] = program_file.hashed(row) == state if matches is None else matches
            if read[key]:
                hashed.add((row.service, state))
        self._read, self.hashed = read, frozenset(hashed)
        if wanted:
            self._decider.hashed(self.hashed)

    def trouble(self, row: ServiceProgram) -> ProgramTrouble | None:
        """Return the trouble with the program of *row* now; for its hash, the result of the last check."""
        if (problem := program_file.trouble(row)) is not None or not row.sha256:
            return problem
        state = program_file.state(row)
        has = state is not None and self._read.get((row.service, row.sha256, state), True)
        return None if has else ProgramTrouble.HASH

    def alarms(self) -> None:
        """Record trouble that is new since the last check. Raises :class:`agent.errors.ShoumiError`."""
        if self._site.stores.now.older:  # no action on a registry that lacks acts of the log
            return
        rows = self._site.facts.programs()
        now = {row.service: problem for row in rows if (problem := self.trouble(row)) is not None}
        fresh = [row for row in rows if row.service in now and self._reported.get(row.service) != now[row.service]]
        for row in fresh:
            self._alarm(row, now[row.service])
        if fresh:  # open files are checked again
            self._decider.epoch(self._site.facts.epoch())
        self._reported = now

    def _alarm(self, row: ServiceProgram, problem: ProgramTrouble) -> None:
        text = trouble_text(row, problem)
        if any((alarm.kind, alarm.text) == (ALARM, text) for alarm in self._site.facts.open_alarms()):
            return
        fields = {"kind": ALARM, "alarm": True, "service": row.service, "reason": text.to_json()}
        seq = self._decider.append(fields)
        with self._registry.note(self._site.now()) as note:
            note.alarms.add(ALARM, text, seq=seq)


def trouble_text(row: ServiceProgram, problem: ProgramTrouble) -> Sentence:
    """Return the sentence about the service account of *row*."""
    name, path, reason = visible(row.service), visible(row.path.decode("utf-8", "surrogateescape")), TROUBLE[problem]
    if problem is ProgramTrouble.WRITABLE:
        return Message("control.service-program-writable", service=name, path=path, reason=reason)
    return Message("control.service-refused", service=name, path=path, reason=reason)
