"""A long scripted day at one site: people work, badges are shown, holds come and go, people leave, and nothing grows.

A round is an hour of that day, in less than a minute: openers and badges go on all the time, and between them officers
act. At its end the memory and the descriptors of every process of the agent are noted. What must hold: nothing wrong
is opened, everything has its entry, the agent says no error, and after the first hours nothing grows. That is looked at
when the day is over: one that is interrupted begins anew.
"""

import os
import re
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median

from agent.api.client import AgentClient
from agent.demo.actors import ActorIdentity, attempt, reading
from agent.errors import RefusedError
from agent.offboard.steps.tasks import family
from tests.enforcement.killing import documents, verified
from tests.enforcement.load import Load, load, unrecorded
from tests.enforcement.scene import NO_LOGIN, Scene, dead_man, until
from tests.long.premises import Premises, badges, premises
from tests.long.rounds import Part, Run

_HOUR, _SHORT_HOUR = 50.0, 15.0  # seconds
_PEOPLE = 200
_KEPT = 260  # more than agent.kernel.subject keeps
_FIRST_UID = 61_500
_PAUSE = 0.02  # seconds between two opens: work, not a flood
_WARM = 0.25  # the part of the day after which nothing may grow
_ROOM = 1.25  # times as much memory as in the first hours after that is still the same
_MEMORY, _DESCRIPTORS = 12.0, 12  # megabytes and numbers that come and go
_PATIENCE = 60.0
_LAST_DAY = "2099-12-31"
_WRONG = re.compile(rb"traceback|error|fatal|exception", re.IGNORECASE)


def run(run: Run) -> None:
    """Live through the day."""
    with tempfile.TemporaryFile() as said:
        with premises(stderr=said.fileno()) as made, dead_man(made.site.site, 100_000):
            people = _hire(made.site)
            with load(documents(made.site, 40), _PAUSE) as opened, badges(made) as shown:
                sizes = [_hour(run, number, made, people) for number in run.rounds(need=2 * _SHORT_HOUR, checked=False)]
            _look(run, made, opened)
            run.count("badges", shown.shown)
            _grown(run, sizes)
        said.seek(0)
        run.check("errors the agent said", [line.decode(errors="replace") for line in said if _WRONG.search(line)])


def _hire(site: Scene) -> list[str]:
    people = [f"P{number}" for number in range(_PEOPLE)]
    with site.asking() as agent:
        for number, person in enumerate(people):
            account = [_FIRST_UID + number]
            agent.call("person.add", person=person, level=["secret"], domain="state", account=account)
            agent.call("grant.add", person=person, area="plans", reason="测试")
    for number in range(_KEPT):  # the decider keeps descriptors of so many tasks: all of them, before anybody counts
        assert _opens(site, people[number % _PEOPLE])
    return people


def _hour(run: Run, number: int, made: Premises, people: list[str]) -> dict[str, tuple[float, int]]:
    """Let officers act for an hour, and return the megabytes and descriptors of every process at its end."""
    chance = run.chance(number)
    end = time.monotonic() + (_SHORT_HOUR if run.short else _HOUR)
    while time.monotonic() < end:
        person = chance.choice(people)
        match chance.randrange(10):
            case 0:
                _leaves(run, made.site, person)
                people.remove(person)
            case 1 | 2 | 3:
                with made.site.asking() as agent:
                    agent.call("hold.add", person=person, reason="测试")
                    run.check("opens under a hold", int(_opens(made.site, person)))
                    agent.call("hold.lift", person=person, reason="测试")
                run.count("holds")
            case 4:
                run.count("questions", len(made.site.ask("person.list")) > 0)
            case _:
                run.check("refusals of the cleared", int(not _opens(made.site, person)))
                run.count("visits")
    return _sizes(made.site)


def _opens(site: Scene, person: str) -> bool:
    who = ActorIdentity(_FIRST_UID + int(person[1:]), NO_LOGIN)
    return attempt(who, reading(site.plans / "doc.txt")).allowed


def _leaves(run: Run, site: Scene, person: str) -> None:
    """Have somebody leave, and wait for the receipt."""
    with site.asking() as agent:
        agent.call("case.open", person=person, last_day=_LAST_DAY)
        agent.call("case.approve", person=person)
        run.check("opens after a departure", int(_opens(site, person)))
        until(lambda: _receipt(agent, person), _PATIENCE)
    run.count("departures")


def _receipt(agent: AgentClient, person: str) -> bool:
    with suppress(RefusedError):  # there is none yet
        return bool(agent.call("case.receipt", person=person)["receipt"])
    return False


def _sizes(site: Scene) -> dict[str, tuple[float, int]]:
    found: dict[str, tuple[float, int]] = {}
    assert site.site.agent
    for name, pid in _processes(site.site.agent.pid):
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        kilobytes = re.search(r"^Pss: +(\d+)", rollup, re.MULTILINE)
        assert kilobytes
        found[name] = (int(kilobytes[1]) / 1000, len(os.listdir(f"/proc/{pid}/fd")))
    return found


def _processes(holder: int) -> Iterator[tuple[str, int]]:
    """Yield the processes of the agent by what they are."""
    yield "holder", holder
    for pid in family([holder]):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        names = [word.decode() for word in words if word.startswith(b"agent.")]
        if pid != holder and names:
            yield names[0], pid


def _look(run: Run, made: Premises, people: Load) -> None:
    opened, entries = people.opened(), made.site.news()
    run.check("wrong opens", len(people.wrongly_opened()))
    run.check("wrong doors", made.opened("annex"))
    run.check("opens without an entry", len(unrecorded(opened, entries)))
    run.count("opens", len(opened))
    run.count("doors opened", made.opened("vault"))
    run.count("entries", verified(made.site))


def _grown(run: Run, hours: Sequence[dict[str, tuple[float, int]]]) -> None:
    """Compare the last hours with the first ones after the warm-up: of each process the median."""
    after = hours[max(1, int(len(hours) * _WARM)) :]
    third = max(1, len(after) // 3)
    seen: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for hour in after:
        for name, size in hour.items():
            seen[name].append(size)
    for name, sizes in seen.items():
        first, last = sizes[:third], sizes[-third:]
        memory, before = median(size[0] for size in last), median(size[0] for size in first)
        run.measure(f"MB of {name}", memory)
        run.measure(f"descriptors of {name}", median(size[1] for size in last))
        if memory > before * _ROOM + _MEMORY:
            run.fail(f"{name} grew from {before:.1f} to {memory:.1f} MB")
        if median(size[1] for size in last) > median(size[1] for size in first) + _DESCRIPTORS:
            run.fail(f"{name} has more and more descriptors: {[size[1] for size in sizes]}")


PART = Part("days", "a long day: people, badges, holds, departures", run, rounds=30, short=4)
