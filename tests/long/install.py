"""Installing on a clean root of Debian from the README alone: what is missing is said, then both commands work.

A round is one release. ``make demo`` runs with what the README names and nothing else; ``make test`` with what
CONTRIBUTING.md names besides, so that nothing skips for a tool. Everything that fails is a failure: a clean root is
entered as a machine of its own (:mod:`tests.long.clean_root`), and what works on a machine works in it. The newest
Python that Debian has is tried here; it reports what nobody closed.

Rules of this file: what to install is read in the documents, not repeated here.
"""

import re

from tests import ROOT
from tests.long.clean_root import RELEASES, CleanRoot, Ended, clean_root
from tests.long.rounds import Part, Run

NAMED = re.compile(r"`apt install ([a-z0-9 .-]+)`")
OF_THE_TESTS = re.compile(r"the packages that `\.ci/run` installs\s+\(([a-z0-9, .-]+)\)")
_APT, _MAKE, _DEMO, _SHORT_DEMO, _TESTS = 300.0, 600.0, 600.0, 60.0, 5_400.0  # seconds
_COUNTS = re.compile(r"(\d+) (passed|failed|skipped|errors?)\b")
_SKIPPED = re.compile(r"^SKIPPED \[(\d+)\] [^:]+:\d+: (.*)$", re.MULTILINE)
_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


def run(run: Run) -> None:
    """Install on one release a round. The short form begins with another one each time, and runs no tests."""
    first = run.chance(0).randrange(len(RELEASES)) if run.short else 0
    for number in run.rounds():
        release = RELEASES[(first + number) % len(RELEASES)]
        with clean_root(release, run.folder / release) as root:
            _round(run, release, root)


def named(document: str, pattern: re.Pattern[str]) -> list[str]:
    """Return the packages that a document names."""
    found = pattern.search((ROOT / document).read_text(encoding="utf-8"))
    assert found, f"{document} names no packages"
    return re.findall(r"[a-z0-9.-]+", found[1])


def _round(run: Run, release: str, root: CleanRoot) -> None:
    _bare(run, release, root)
    installed = root.run(f"apt-get -qq install --yes {' '.join(named('README.md', NAMED))}", _APT)
    made = root.run("make .venv/.run && .venv/bin/shoumi --help && .venv/bin/python --version", _MAKE)
    if installed.code or made.code:
        run.fail(f"{release}: the installation ends with {made.code}: {(installed.output + made.output)[-1500:]}")
        return
    run.count("installed")
    python = made.output.split()[-1]
    demo = root.run("make demo", max(_SHORT_DEMO, run.seconds_left) if run.short else _DEMO)
    wrong = [line.strip() for line in demo.output.splitlines() if "✗" in line or line.startswith("shoumi: ")]
    kept = demo.output.count("✓")
    run.note(
        f"{release}, Python {python}: `make demo` ends with {demo.code}; {kept} lines as expected, {len(wrong)} not"
    )
    if "[rehearsal]" in demo.output:
        run.fail(f"{release}: `make demo` only rehearses: {demo.output[:600]}")
    if demo.code and not (run.short and demo.code == 124):
        run.fail(f"{release}: `make demo` ends with {demo.code}: {'; '.join(wrong) or demo.output[-1500:]}")
    if not run.short:
        _tests(run, release, root)


def _bare(run: Run, release: str, root: CleanRoot) -> None:
    """Look at what a root says that has make and Python, and nothing else that the README names."""
    ready = root.run("apt-get -qq update && apt-get -qq install --yes make python3", _APT)
    if ready.code:
        run.fail(f"{release}: no packages: {ready.output[-500:]}")
    said = root.run("python3 -m venv .venv; make demo", 60)  # the first leaves half an environment behind
    if said.code == 0 or "apt install python3-venv" not in said.output.partition("shoumi: ")[2]:
        run.fail(f"{release}: without python3-venv `make demo` ends with {said.code}: {said.output[-500:]}")


def _tests(run: Run, release: str, root: CleanRoot) -> None:
    more = root.run(f"apt-get -qq install --yes {' '.join(named('CONTRIBUTING.md', OF_THE_TESTS))}", _APT)
    tests = root.run("make test", _TESTS)
    for number, what in _COUNTS.findall(tests.output):
        run.count(f"{release}, tests {what}", int(number))
    for number, why in _SKIPPED.findall(tests.output):
        run.note(f"{release}: {number} skipped: {why}")
    if more.code or tests.code:
        failed = _FAILED.findall(tests.output)
        run.fail(
            f"{release}: `make test` ends with {tests.code}; {len(failed)} failed: {' '.join(failed[:40])}{_end(tests)}"
        )


def _end(tests: Ended) -> str:
    return "" if _FAILED.search(tests.output) else f"; {tests.output[-1000:]}"


PART = Part("install", "clean roots of Debian", run, rounds=len(RELEASES), short=1, needs=("debootstrap", "git"))
