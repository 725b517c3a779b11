"""A departure at a large site: from HR's token in the spool to the last thing the leaver read, and a burst of them.

Rules of this file: the agent is the whole real one. Every leaver has reader processes of his own, two with an open
descriptor and one with a mapping, which write down when each read came back; a token is signed beforehand and delivered
by one rename, and the clock starts before it. Accounts are numbers nobody has. One after the other is with a breath
between them; back to back is the next one in the moment the last one's readers are gone, while the agent still looks
for more of that one. The proofs and receipts of all of them go on meanwhile, as they do at a site.
"""

import contextlib
import mmap
import os
import select
import shutil
import signal
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from agent.demo.actors import ActorIdentity, acting
from agent.demo.stage import DemoStage, stage
from agent.kernel import cover
from agent.kernel.cover import GuardedPlace
from agent.offboard.intake import pinned_keys
from agent.offboard.intake.notice import HrEvent
from agent.offboard.receipt import receipt
from agent.registry.store import Registry
from agent.simulator.hr_sender import make_keys, send_test
from rules.model import Clearance, Level
from rules.text import Text
from tests.bench.machine import other_cpus
from tests.bench.rows import Row, judged, milliseconds
from tests.bench.samples import percentile
from tests.sentences import en, zh
from tests.stopped import stopped

PEOPLE, AREAS, FILES = 10_000, 1_000, 100_000
SINGLE, BACK_TO_BACK, BURST = 100, 100, 500
_DEPARTURES = SINGLE + BACK_TO_BACK
_LAST = _DEPARTURES + BURST // 2
_BREATH = 0.25  # seconds between two departures one after the other
_LEAVING = HrEvent.DEPARTURE_APPROVED
_WANTED = ("hold.add", "case.notice")
# What may become of a hold and a departure: a hold that is looked at behind the departure ends nothing more, and waits.
IN_ORDER = (list(_WANTED), ["case.notice", "superseded"])
NO_LOGIN = 0xFFFF_FFFF

_VOLUME = {"alone": True, "sharing": "dedicated", "fstype": "ext4", "tier": "A"}  # what `area add` would keep
_FIRST_UID = 62_200
_PAUSE = 0.0005  # seconds between two reads
_PATIENCE = 30.0
_BAR = 50e6  # ns


class Company:
    """A running site. ``leavers`` are people with accounts and a grant for the area of their file."""

    def __init__(self, site: DemoStage, people: int, areas: int, files: int, leavers: int) -> None:
        self.site = site
        self._sending = site.home.root / "sending"
        self._areas = areas
        self._furnish(people, files, leavers)
        self._list()
        self._pin()

    def _furnish(self, people: int, files: int, leavers: int) -> None:
        for number in range(self._areas):
            self.file(number).parent.mkdir(mode=0o755)
        for number in range(leavers):
            self.file(number).write_text("机密内容\n" * 400)
        for number in range(leavers, files):  # there to be found, to be labelled and to be denied: nobody reads them
            self.file(number).touch()
        secret = (Clearance("state", Level.SECRET, "", "officer"),)
        past = datetime.now(UTC) - timedelta(minutes=1)
        with Registry(self.site.home.registry) as registry, registry.change(past) as change:
            for number in range(self._areas):
                path = str(self.file(number).parent)
                change.areas.add(_area(number), path=path, level=Level.SECRET, domain="state", volume=_VOLUME)
            for number in range(people):
                change.people.add(person(number), department=f"部门{number % 50}", clearances=secret)
                change.grants.add(person(number), _area(number % self._areas), reason="项目甲", approver="officer")
            for number in range(leavers):
                change.accounts.add(_FIRST_UID + number, person(number))

    def _list(self) -> None:
        """List the areas as a site that runs has listed them: by the one mount that all of them are reached by."""
        root = str(self.site.root)
        number = self.site.root.stat().st_dev
        device = (os.major(number), os.minor(number))
        places = (
            GuardedPlace(_area(number), str(self.file(number).parent), root, True, (root,), device)
            for number in range(self._areas)
        )
        cover.write_list(self.site.home.covers, places)

    def _pin(self) -> None:
        """Make keys for HR and two approvers, pin them, and make a spool beside the spool to rename from."""
        approvers = [("head", person(8_000)), ("security", person(8_001))]
        folder = self.site.home.root / "hr"
        made = make_keys(folder, audience="shoumi", iss="https://hr.example", approvers=approvers)
        (self._sending / "spool" / "new").mkdir(parents=True, mode=0o700)
        for home in (self._sending, self.site.home.root):
            shutil.copy(made, pinned_keys.path(home))

    def file(self, number: int) -> Path:
        """Return a document leaver *number* may read."""
        area, more = number % self._areas, number // self._areas
        return self.site.root / f"a{area:04d}" / f"计划{more}.txt"

    def area(self, number: int) -> str:
        """Return the area that document is in."""
        return _area(number % self._areas)

    def identity(self, number: int) -> ActorIdentity:
        """Return the account of leaver *number*."""
        return ActorIdentity(_FIRST_UID + number, NO_LOGIN)

    def sign(self, number: int, event: HrEvent = HrEvent.DEPARTURE_APPROVED) -> Path:
        """Return a signed token about leaver *number*, on the spool's filesystem and not in the spool."""
        now, folder = datetime.now(UTC), self.site.home.root / "hr"
        last_day = now.date() + timedelta(days=60)
        txn = f"HR-{number}"
        return send_test(self._sending, person(number), folder, now, txn=txn, event=event, last_day=last_day).file

    def drop(self, token: Path) -> int:
        """Deliver *token*; return the instant before that."""
        to = self.site.home.root / "spool" / "new" / token.name
        begun = time.monotonic_ns()
        token.rename(to)
        return begun

    def entries(self, **wanted: object) -> list[dict[str, Any]]:
        """Return the entries of the log that have these fields."""
        return [entry for entry in self.site.entries() if wanted.items() <= entry.items()]


@contextmanager
def company(people: int, areas: int, files: int, leavers: int) -> Iterator[Company]:
    """Start a site of this size, with HR's channel open; stop and remove everything on leaving."""
    with stage(size=_image(files)) as site:
        made = Company(site, people, areas, files, leavers)
        site.start()
        deadline = time.monotonic() + _PATIENCE
        while not (site.home.root / "spool" / "new").is_dir():
            if time.monotonic() > deadline:
                raise OSError("the channel from HR did not open")
            time.sleep(0.05)
        yield made


def _image(files: int) -> int:
    """Return the size of a volume for so many files: mkfs makes one inode for every 16 KiB. The image is sparse."""
    return max(256 << 20, files * 20_000)


def person(number: int) -> str:
    """Return the employee number of *number*."""
    return f"E{number:05d}"


def _area(number: int) -> str:
    return f"area-{number:04d}"


class Readers:
    """The readers of one leaver. Their last reads outlive them: they stand in memory shared with this process."""

    def __init__(self, company: Company, number: int, stack: ExitStack) -> None:
        self._last = mmap.mmap(-1, 8 * 3)
        self._pidfds = []
        for slot, act in enumerate((self._by_descriptor, self._by_descriptor, self._by_mapping)):
            file = company.file(number)
            actor = stack.enter_context(acting(company.identity(number), self._reading(slot, act, file)))
            self._pidfds.append(os.pidfd_open(actor.pid))
            stack.callback(os.close, self._pidfds[-1])
        deadline = time.monotonic() + _PATIENCE
        while 0 in self.last():
            if time.monotonic() > deadline:
                raise OSError("a reader could not read")
            time.sleep(0.001)

    def last(self) -> tuple[int, ...]:
        """Return when each of them read for the last time; 0: never."""
        return struct.unpack("3q", self._last[:])

    def ended(self) -> int:
        """Wait until all of them are gone; return when that was seen."""
        waiting = set(self._pidfds)
        deadline = time.monotonic() + _PATIENCE
        while waiting:
            if time.monotonic() > deadline:
                raise OSError("a reader lives on")
            waiting -= set(select.select(waiting, (), (), 1)[0])
        return time.monotonic_ns()

    def _reading(self, slot: int, read: Callable[[int], Callable[[], object]], file: Path) -> Callable[[Any], None]:
        def act(_say: object) -> None:
            os.sched_setaffinity(0, other_cpus())
            again = read(os.open(file, os.O_RDONLY | os.O_CLOEXEC))
            while True:
                with contextlib.suppress(PermissionError):  # refused: it tries on until it is ended
                    again()
                    struct.pack_into("q", self._last, 8 * slot, time.monotonic_ns())
                time.sleep(_PAUSE)

        return act

    @staticmethod
    def _by_descriptor(fd: int) -> Callable[[], object]:
        return lambda: os.pread(fd, 4096, 0)

    @staticmethod
    def _by_mapping(fd: int) -> Callable[[], object]:
        mapped = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
        return lambda: mapped[0]


def rows() -> list[Row]:
    """Build the site once; let people leave one after the other, then back to back, then all at once."""
    with company(PEOPLE, AREAS, FILES, _LAST) as site:
        begun, several = time.monotonic(), Text(f"{SINGLE} one after the other", f"逐一离岗 {SINGLE} 次")
        found = [_row("departure", several, departures(site, range(SINGLE), _BREATH))]
        several = Text(f"{BACK_TO_BACK} back to back", f"连续离岗 {BACK_TO_BACK} 次")
        found.append(_row("departures", several, departures(site, range(SINGLE, _DEPARTURES))))
        found.append(_burst(site))
        return [*found, _receipts(site, time.monotonic() - begun)]


def departures(site: Company, numbers: range, breath: float = 0.0) -> dict[str, list[float]]:
    """Have leavers go one after the other, each *breath* seconds after the last one's readers are gone.

    Return nanoseconds from the drop to the last read through a descriptor, through a mapping, and to the last process.
    """
    took: dict[str, list[float]] = {"descriptor": [], "mapping": [], "gone": []}
    for number in numbers:
        token = site.sign(number)
        with ExitStack() as stack:
            readers = Readers(site, number, stack)
            begun = site.drop(token)
            gone = readers.ended()
            one, other, mapped = readers.last()
        took["descriptor"].append(max(one, other) - begun)
        took["mapping"].append(mapped - begun)
        took["gone"].append(gone - begun)
        time.sleep(breath)
    return took


class Burst(NamedTuple):
    """What became of many tokens: for each person acts, or ``superseded``, in order; and the seconds of all of it."""

    done: dict[str, list[str]]
    seconds: float


def burst(site: Company, numbers: range) -> Burst:
    """Drop two tokens about each leaver at once, kill the control process in the middle, wait until all are taken up.

    Raises ``OSError`` when some never are.
    """
    tokens = [site.sign(number, event) for number in numbers for event in (HrEvent.ACCOUNT_DISABLED, _LEAVING)]
    with stopped(site.site.process("control")):
        begun = min([site.drop(token) for token in reversed(tokens)])  # the later one of a person first
    deadline = time.monotonic() + _PATIENCE + len(tokens)
    killed = False
    while (count := sum(map(len, _acts(site, numbers).values()))) < len(tokens):
        if not killed and count >= len(tokens) / 2:
            os.kill(site.site.process("control"), signal.SIGKILL)
            killed = True
        if time.monotonic() > deadline:
            raise OSError(f"{count} of {len(tokens)} were taken up")
        time.sleep(0.1)  # reading the log takes long by then
    return Burst(_acts(site, numbers), (time.monotonic_ns() - begun) / 1e9)


def _acts(site: Company, numbers: range) -> dict[str, list[str]]:
    """Return what HR's notices came to, for each person."""
    people = set(map(person, numbers))
    found: dict[str, list[str]] = {}
    for entry in site.entries():
        if entry["kind"] == "act" and entry["outcome"] == "done" and entry["act"] in _WANTED:
            who, came = entry["args"].get("person", ""), entry["act"]
        elif entry["kind"] == "hr-event" and entry["outcome"] == "superseded":
            who, came = entry["person"], "superseded"
        else:
            continue
        if who in people and came not in found.get(who, ()):
            found.setdefault(who, []).append(came)
    return found


def _row(ident: str, several: Text, took: dict[str, list[float]]) -> Row:
    last = [max(pair) for pair in zip(took["descriptor"], took["mapping"], strict=True)]
    numbers = {
        f"{name}_p{percent}_ms": percentile(values, percent) / 1e6
        for name, values in took.items()
        for percent in (50, 99)
    }
    p50, p99 = percentile(last, 50), percentile(last, 99)
    what = Text(
        f"HR's token dropped → the leaver's last read, {en(several)}, {PEOPLE:,} people × {AREAS:,} areas,"
        f" {FILES:,} files",
        f"人事令牌投递 → 离岗人员最后一次读取，{zh(several)}，{PEOPLE:,} 人 × {AREAS:,} 个目录，{FILES:,} 个文件",
    )
    shown = f"{milliseconds(p50)} (p99 {milliseconds(p99)})"
    numbers |= {"worst_ms": max(last) / 1e6, "load": os.getloadavg()[0]}
    return Row(ident, what, shown, None, None, "p99 ≤ 50 ms", judged(p99 <= _BAR), numbers)


def _receipts(site: Company, seconds: float) -> Row:
    """Say how many receipts were issued while all that went on, each with its pass over all files and its proof."""
    issued = len(receipt.kept(receipt.receipts_folder(site.site.home.root)))
    what = Text(
        f"receipts issued meanwhile, each with {AREAS * 4:,} attempts to get in",
        f"同期签发的回执，每份含 {AREAS * 4:,} 次进入尝试",
    )
    numbers = {"receipts": issued, "seconds": seconds}
    return Row("receipts", what, f"{issued / seconds * 60:.0f} /min", numbers=numbers)


def _burst(site: Company) -> Row:
    found = burst(site, range(_DEPARTURES, _LAST))
    in_order = sum(acts in IN_ORDER for acts in found.done.values())
    what = Text(
        f"{BURST} tokens dropped at once, the control process killed in the middle: all taken up, in order",
        f"同时投递 {BURST} 份令牌，中途强杀控制进程：全部按序处理",
    )
    numbers = {"seconds": found.seconds, "people": len(found.done), "in_order": in_order, "load": os.getloadavg()[0]}
    return Row("burst", what, f"{found.seconds:.1f} s", None, None, "all", judged(in_order == BURST // 2), numbers)
