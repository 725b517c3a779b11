"""Run in a guest, as root: the clock of a real kernel is set by ten years and back, and by days, under a running agent.

Never run on a machine whose clock matters: this sets it. It says ``CHECK name ok|failed`` of everything it looked at,
and ends with 0 only when all of it held.

Grants: E1 has one that ends soon, E2 one without an end.
"""

import ctypes
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.api.client import AgentClient
from agent.demo import stage as demo_stage
from agent.demo.actors import UNSET, ActorIdentity, attempt, reading
from agent.demo.shared import wait_until
from agent.demo.stage import DemoStage, stage
from agent.errors import RefusedError
from tests.long.guest_seen import SLOW, Checks
from tests.sentences import en

E1, E2 = ActorIdentity(61_011, UNSET), ActorIdentity(61_012, UNSET)
DAY, YEARS = 86_400.0, 3_652 * 86_400.0
_ADJ_STATUS, _ADJ_MAXERROR, _STA_PLL = 0x0010, 0x0004, 0x0001


class _Timex(ctypes.Structure):
    _fields_ = (
        ("modes", ctypes.c_uint), ("offset", ctypes.c_long), ("freq", ctypes.c_long), ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long), ("status", ctypes.c_int), ("rest", ctypes.c_long * 32),
    )  # fmt: skip


class Story:
    """One agent, whose machine's clock is moved. ``error``: by how much it is wrong, as we know."""

    def __init__(self, site: DemoStage, checks: Checks) -> None:
        self.site = site
        self.error = 0.0
        self._grant = "G000001"
        self._checks = checks
        self._document = site.root / "plans" / "doc.txt"

    def say(self, what: str, so: object) -> None:
        self._checks.check(what, held=bool(so))

    def set(self, seconds: float) -> None:
        """Move the clock, as date(1) would, and wait until the agent must have seen it."""
        time.clock_settime(time.CLOCK_REALTIME, time.time() + seconds)
        self.error += seconds
        time.sleep(1.0)

    def right(self) -> None:
        self.set(-self.error)

    def may(self, who: ActorIdentity) -> bool:
        return attempt(who, reading(self._document), SLOW).allowed

    def last(self, kind: str) -> dict[str, Any]:
        return [entry for entry in self.site.entries() if entry["kind"] == kind][-1]

    def stamped(self) -> float:
        """Return by how many seconds the last access is stamped after now, as the clock is."""
        return datetime.fromisoformat(self.last("access")["time"]).timestamp() - time.time()

    def status(self) -> dict[str, Any]:
        with AgentClient(self.site.home, timeout=SLOW) as agent:
            return dict(agent.call("status"))

    def call(self, op: str, **given: Any) -> Any:
        with AgentClient(self.site.home, timeout=SLOW) as agent:
            return agent.call(op, **given)

    def grant(self, seconds: float) -> None:
        """Give E1 a grant that ends *seconds* from now, as it really is."""
        until = datetime.fromtimestamp(time.time() - self.error + seconds, UTC)
        with suppress(RefusedError):  # it has ended by itself
            self.call("grant.end", grant=self._grant, reason="x")
        added = self.call("grant.add", person="E1", area="plans", reason="x", until=until.isoformat())
        self._grant = added["grant"]


def synchronised() -> None:
    """Say to the kernel what chronyd says when the clock is right."""
    said = _Timex(modes=_ADJ_STATUS | _ADJ_MAXERROR, status=_STA_PLL, maxerror=0)
    if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(said)) < 0:
        raise OSError("adjtimex")


def ten_years(story: Story) -> None:
    """Forward and back: what it spoils lasts as long as the clock is wrong."""
    story.grant(3600)
    story.say("with the right clock both open", story.may(E1) and story.may(E2))
    decider = story.site.process("decider")
    story.set(YEARS)
    story.say("ten years on, the grant with an end has ended", not story.may(E1))
    story.say("… and the one without goes on", story.may(E2))
    story.say("… stamped with the clock as it is", abs(story.stamped()) < 60)
    story.say("… the step is an entry", abs(story.last("clock")["offset"] - YEARS) < 60)
    story.right()
    story.say("set right, the grant holds again", story.may(E1))
    story.say("… the stamps are right again", abs(story.stamped()) < 60)
    story.say("… the step back is an entry, and accepted", story.last("clock")["accepted"] == "returned")
    story.say("… nobody died of it", story.site.process("decider") == decider)
    story.say("… status has nothing to say of it", story.status()["clock"] is None)
    time.sleep(60)  # the span itself: a clock returns only to what it had kept to for longer than to what it leaves
    story.set(YEARS)
    story.site.stop()
    story.site.start()
    story.say("started anew while it is wrong, the grant has ended", not story.may(E1))
    story.right()
    story.say("… set right, it holds again", story.may(E1))
    story.say("… the stamps are right again", abs(story.stamped()) < 60)


def set_back(story: Story) -> None:
    """Back, from a clock that was right: nothing that has ended comes back, until somebody answers for it."""
    story.grant(20)
    story.say("a grant that ends soon holds until then", story.may(E1))
    story.say("it ends", wait_until(lambda: not story.may(E1), SLOW))
    for back in (-1.5 * 3600, -DAY, -YEARS + DAY):
        story.set(back)
        story.say(f"set back to {datetime.now(UTC):%F %T}, it has ended still", not story.may(E1))
    story.say("… E2 opens", story.may(E2))
    entry = story.last("access")
    ahead = datetime.fromisoformat(entry["judged"]).timestamp() - datetime.fromisoformat(entry["time"]).timestamp()
    story.say("… the entry says what it was judged by", abs(ahead + story.error) < 60)
    story.say("… and status says so", "set back" in en(story.status()["clock"]))
    story.site.stop()
    story.site.start()
    story.say("… also after a start", not story.may(E1))
    story.right()
    story.say("set right, it has ended still", not story.may(E1))
    story.say("… and status has nothing to say", story.status()["clock"] is None)
    story.set(-2 * 3600)
    story.say("set back once more, it has ended", not story.may(E1))
    story.call("clock.accept", reason="tried")
    story.say("an officer accepts it: it is judged by", wait_until(lambda: story.status()["clock"] is None, SLOW))
    story.say("… and what begins later has not begun", not story.may(E2) and "judged" not in story.last("access"))
    story.right()
    story.say("set right, it has begun", wait_until(lambda: story.may(E2), SLOW))
    story.say("set right, it has ended", not story.may(E1))


def synchronised_by_ntp(story: Story) -> None:
    """A clock that was wrong from the start on is followed back when the kernel calls it synchronised."""
    story.site.stop()
    story.set(YEARS)
    story.site.home.clock.unlink()
    story.site.start()  # as a machine that never had another time
    story.grant(3600)
    story.say("wrong from the start on, the grant has ended", not story.may(E1))
    story.right()
    story.say("set right by hand, it has ended still", not story.may(E1))
    synchronised()
    story.say("called synchronised, the clock is followed", wait_until(lambda: story.may(E1), SLOW))
    story.say("… and the entry says why", story.last("clock")["accepted"] == "synchronised")


def whole(story: Story) -> None:
    """The log after all that."""
    verified = story.call("log.verify")
    story.say(
        f"the log is whole: {verified['entries']} entries, time went back {verified['steps']} times", verified["ok"]
    )
    entries = story.site.entries()
    story.say("boot time never goes back", [one["mono"] for one in entries] == sorted(one["mono"] for one in entries))
    wrong = [one["seq"] for one in entries if one["kind"] == "access" and one["time"] > f"{2034}"]
    today = (datetime.now(UTC) - timedelta(days=2)).isoformat(), (datetime.now(UTC) + timedelta(days=2)).isoformat()
    with AgentClient(story.site.home, timeout=SLOW) as agent:
        listed = [row["seq"] for row in agent.stream("log.list", since=today[0], until=today[1], limit=10_000)]
    story.say(f"a list of these days has the {len(wrong)} opens stamped ten years on", {*wrong} <= {*listed} and wrong)


@contextmanager
def made(checks: Checks) -> Iterator[Story]:
    demo_stage.START_SECONDS = SLOW
    with stage(settings=("heartbeat_seconds = 60.0",)) as site:
        folder = site.root / "plans"
        folder.mkdir()
        folder.chmod(0o777)
        (folder / "doc.txt").write_text("机密\n")
        (folder / "doc.txt").chmod(0o666)
        site.start()
        story = Story(site, checks)
        story.call("person.add", person="E1", level=["secret"], domain="state", account=[E1.uid])
        story.call("person.add", person="E2", level=["secret"], domain="state", account=[E2.uid])
        story.call("area.add", path=str(folder), name="plans", level="secret", domain="state")
        for person in ("E1", "E2"):
            story.call("grant.add", person=person, area="plans", reason="x")
        yield story


def main() -> int:
    """Make all checks; 0: each held."""
    checks = Checks()
    with checks.guarded("site"), made(checks) as story:
        for part in (ten_years, set_back, synchronised_by_ntp, whole):
            with checks.guarded(part.__name__.replace("_", " ")):
                part(story)
    return int("failed" in checks.result["checks"].values())


if __name__ == "__main__":
    sys.exit(main())
