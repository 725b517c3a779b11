"""The tests of a group, collected once in this process, and run one by one by whoever is forked from it.

Rules of this file: the order is that of :class:`Covering`, the quickest first, and a run ends with the first failure.
Examples of laws are not shrunk: that one fails is enough.
"""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import coverage
import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

from tests import ROOT

_EXAMPLES = 40  # of a hundred: what only more of them find is asked by the questions, which are many more


class Covering(NamedTuple):
    """What a run without a mutation has seen: seconds of each test, lines by test, lines that imports ran."""

    seconds: dict[str, float]
    failed: list[str]
    lines: dict[str, dict[str, list[str]]]
    """By file and line (JSON has no number as a key)."""
    at_import: dict[str, list[int]]

    def tests_of(self, file: str, lines: Iterable[int]) -> list[str]:
        """Return the tests that run any of *lines* of *file*, the quickest first."""
        found = {test for line in lines for test in self.lines.get(file, {}).get(str(line), ())}
        return sorted(found, key=lambda test: (self.seconds[test], test))

    def of_file(self, file: str) -> list[str]:
        """Return all tests, and first those that run anything of *file*: what it defines may be used by any."""
        found = self.tests_of(file, map(int, self.lines.get(file, {})))
        others = self.seconds.keys() - set(found)
        return found + sorted(others, key=lambda test: (self.seconds[test], test))


class Collected:
    """A plugin of pytest that takes over when tests were collected."""

    def __init__(self, then: Callable[["Collected"], None]) -> None:
        self._then = then
        self.items: dict[str, pytest.Item] = {}

    def pytest_configure(self) -> None:
        settings.register_profile(
            "mutants",
            settings.get_profile("same"),
            max_examples=_EXAMPLES,
            phases=(Phase.explicit, Phase.generate),
            report_multiple_bugs=False,
        )
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.items = {item.nodeid: item for item in session.items}
        self._then(self)
        return True

    def first_failure(self, names: Sequence[str], folder: Path) -> str | None:
        """Run the tests *names*, with their files in *folder*; return the first that fails, ``None`` if all pass."""
        items = [self.items[name] for name in names if name in self.items]
        self._use(items, folder)
        for item, following in zip_longest(items, items[1:]):
            if _fails(item, following):
                return item.nodeid
        return None

    def covering(self, files: Collection[str], traced: coverage.Coverage, folder: Path) -> Covering:
        """Run all tests, and return what they cover of *files*. *traced* has seen the imports."""
        items, seconds, failed = list(self.items.values()), {}, []
        self._use(items, folder)
        traced.start()
        for item, following in zip_longest(items, items[1:]):
            traced.switch_context(item.nodeid)
            begun = time.monotonic()
            if _fails(item, following):
                failed.append(item.nodeid)
            seconds[item.nodeid] = time.monotonic() - begun
        traced.stop()
        lines: dict[str, dict[str, list[str]]] = {}
        at_import: dict[str, list[int]] = {}
        data = traced.get_data()
        for file in files:
            by_line = data.contexts_by_lineno(str(ROOT / file))
            at_import[file] = [line for line, names in by_line.items() if "" in names]
            lines[file] = {
                str(line): [name for name in names if name and name not in failed] for line, names in by_line.items()
            }
        return Covering({name: took for name, took in seconds.items() if name not in failed}, failed, lines, at_import)

    @staticmethod
    def _use(items: Sequence[pytest.Item], folder: Path) -> None:
        if items:
            factory: Any = items[0].config._tmp_path_factory  # type: ignore[attr-defined]
            factory._given_basetemp, factory._basetemp = folder / "tests", None


def _fails(item: pytest.Item, following: pytest.Item | None) -> bool:
    return any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


def collect(tests: Sequence[str], then: Callable[[Collected], None]) -> int:
    """Collect *tests* in this process, and call *then*; return pytest's exit code."""
    words = (
        "-o",
        "addopts=",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:terminal",
        "-p",
        "no:xdist",
        "--capture=sys",
        "-m",
        "not long",
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
    )  # hypothesis is imported before pytest begins
    there = [name for name in tests if (ROOT / name).exists()]
    return int(pytest.main([*words, *there], plugins=[Collected(then)]))
