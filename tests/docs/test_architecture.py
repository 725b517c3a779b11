"""The page about the architecture leaves out no process and no thread, and every name in it leads somewhere."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.architecture import PAGE
from tests.docs.pages import DOCUMENTS, names
from tests.docs.processes import PROCESSES, WIRES
from tests.docs.source_scan import FORK, TOOL, FoundStart, FoundThread, resolve, started, starts, threads, threads_made
from tests.docs.threads import THREADS

TEXT = PAGE.read_text(encoding="utf-8")
_NO_NAMES = {"sentences.md", "terminal.md"}  # codes of sentences, and `rules.use` is the id of an action
_MOST_STEPS = 10


def test_every_start_of_a_process_is_described_and_every_description_is_of_a_start() -> None:
    assert {FoundStart(where, row.runs) for row in PROCESSES for where in row.where} == starts()


def test_every_kind_of_thread_is_described_and_every_description_is_of_a_thread() -> None:
    assert {FoundThread(row.module, row.name) for row in THREADS} == threads()


def test_a_process_is_entered_where_its_start_leads() -> None:
    for row in PROCESSES:
        module = row.entry.partition(":")[0]
        assert callable(resolve(row.entry))
        assert not row.runs or {row.runs, f"{row.runs}.__main__"} & {module} or row.runs in {FORK, TOOL}, row.name
        assert row.runs != FORK or module in row.where, row.name


def test_the_tables_speak_of_the_same_processes() -> None:
    known = {row.name for row in PROCESSES}
    assert {row.starter for row in PROCESSES if row.starter} <= known
    assert {row.process for row in THREADS} | {name for wire in WIRES for name in wire.between} <= known
    assert [row.name for row in PROCESSES if not row.starter] == ["cli"]  # the one that a person starts


@pytest.mark.parametrize("page", [page for page in DOCUMENTS if page.name not in _NO_NAMES], ids=lambda page: page.name)
def test_every_name_of_the_program_leads_somewhere(page: Path) -> None:
    assert [name for name in sorted(names(page)) if not _leads(name)] == []


def test_each_way_through_the_program_is_short_and_names_what_happens_where() -> None:
    [ways] = re.findall(r"^## How things travel\n(.*?)^## ", TEXT, re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^### (.+)$", ways, re.MULTILINE)
    assert titles == ["An open", "A badge", "A token from HR", "An act"]
    for title, steps in zip(titles, map(_steps, re.split(r"^### .+$", ways, flags=re.MULTILINE)[1:]), strict=True):
        assert len(steps) <= _MOST_STEPS, title
        assert sum("`agent." in step for step in steps) >= len(steps) - 1, title  # a commit has no name of its own


def test_a_start_and_a_thread_are_found_however_they_are_written() -> None:
    tree = ast.parse(
        "import subprocess\nfrom agent.volumes import probe_opener as other\nMODULE: Final = 'agent.one'\n"
        "def f():\n    launch(python(MODULE, 'x'))\n    [sys.executable, '-I', other.__file__]\n    os.fork()\n"
        "    Thread(target=f, name='a')\n    ThreadPoolExecutor(2, 'b')\n"
        "    ThreadPoolExecutor(thread_name_prefix='c')\n    threading.Thread(target=f)\n    asyncio.to_thread(f)\n"
    )
    assert set(started("agent.here", tree)) == {"agent.one", "agent.volumes.probe_opener", FORK}
    assert list(threads_made(tree)) == ["a", "b", "c", "(no name)", "asyncio"]
    assert list(started("agent.here", ast.parse("subprocess.run(['ls'])\n"))) == [TOOL]


def _leads(name: str) -> bool:
    try:
        resolve(name)
    except (ImportError, AttributeError):
        return False
    return True


def _steps(section: str) -> list[str]:
    def lines() -> Iterator[str]:
        for line in section.strip().splitlines():
            yield f"\n{line}" if re.match(r"\d+\. ", line) else f" {line.strip()}"

    return "".join(lines()).strip().split("\n")
