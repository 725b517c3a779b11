"""How long the registry takes at the size of a large site: 10,000 people × 1,000 areas.

Run with ``python -m tests.registry.benchmark``; it prints and asserts nothing. Every number is wall-clock time of
this machine. The reader asks for another person and another area every time, so that no answer comes from a warm row.
"""

import random
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

from agent.registry.facts import FactsReader
from agent.registry.migrations import migrate
from agent.registry.queries.registry_queries import RegistryQueries
from agent.registry.store import Registry
from rules.model import Clearance, Level, Scope

NOW = datetime(2026, 11, 2, tzinfo=UTC)


def build(path: Path, people: int, areas: int) -> None:
    """Make a registry in which everybody has a level, an account, a badge, five records and five grants."""
    chance = random.Random(1)
    migrate(path)
    with Registry(path) as registry, registry.change(NOW) as change:
        for area in range(areas):
            change.areas.add(
                f"A{area}",
                path=f"/srv/vol/{area}",
                level=Level(1 + area % 4),
                domain="state",
                scope=Scope(departments=frozenset({f"D{area % 100}"})),
            )
        for number in range(people):
            person = f"E{number}"
            change.people.add(
                person,
                name=f"人员{number}",
                department=f"D{number % 100}",
                clearances=[Clearance("state", Level(1 + number % 4), approved_by="officer")],
            )
            change.accounts.add(10_000 + number, person)
            change.badges.add(str(number), person)
            for kind in ("vetting", "training", "exam", "agreement", "certificate"):
                change.records.add(person, kind, on=NOW - timedelta(days=number % 700))
            for area in chance.sample(range(areas), min(5, areas)):
                change.grants.add(person, f"A{area}", reason="项目", approver="officer")
        for day in range(30):
            change.holidays.add(NOW.date() + timedelta(days=day))


def measure(people: int, areas: int, rounds: int = 2_000) -> Iterator[tuple[str, float]]:
    """Yield what was measured and the seconds it took."""
    chance = random.Random(2)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "registry.db"
        yield "build in one change", timed(lambda: build(path, people, areas))
        yield "open the writer, every page checked", timed(lambda: Registry(path).close())
        yield "open the reader", timed(lambda: FactsReader(path).close())
        with FactsReader(path) as reader, Registry(path) as registry, RegistryQueries(path) as lists:
            yield "whole uid map", timed(reader.accounts)
            yield "all areas", timed(reader.areas)
            yield "records due within 30 days", timed(lambda: lists.records.due(NOW, 30, valid_days={"training": 365}))

            def one_decision() -> None:
                reader.facts([f"E{chance.randrange(people)}"], f"A{chance.randrange(areas)}")

            def one_hold() -> None:
                with registry.change(NOW) as change:
                    change.holds.add(f"E{chance.randrange(people)}", reason="x")

            for name, act, times in (
                ("facts of one decision", one_decision, rounds),
                ("did anything change", reader.changed, rounds),
                ("one hold, durable", one_hold, max(rounds // 20, 2)),
            ):
                taken = [timed(act) for _ in range(times)]
                yield f"{name}, median", median(taken)
                yield f"{name}, p99", quantiles(taken, n=100)[98]


def timed(act: Callable[[], object]) -> float:
    """Return the seconds *act* takes."""
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def main() -> None:
    """Print the table."""
    for name, seconds in measure(10_000, 1_000):
        print(f"{name:40} {seconds * 1e3:12.3f} ms")
    print(
        f"{'largest memory, writer included':40} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:12.1f} MB"
    )


if __name__ == "__main__":
    main()
