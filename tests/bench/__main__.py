"""``python -m tests.bench [--write-docs] [PART …]``: measure, print the table, write ``build/bench.json``.

Rules of this file: everything is made for this run and removed after it, whatever happens; a run that hangs is ended
by an alarm, which takes the agents and openers with it and lets every blocked opener go.
"""

import argparse
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NoReturn

from agent.cli.terminal import choose_language
from agent.errors import ShoumiError
from agent.language.catalogue import localized
from agent.language.errors import error_lines
from agent.runtime.home import Home
from agent.simulator import volume_image
from rules.text import Language, Text
from tests import ROOT
from tests.bench import (
    callers,
    departures,
    doors_osdp,
    doors_uhppote,
    losses,
    machine,
    opening,
    rates,
    reading,
    record,
    report,
    scale,
    steps,
)
from tests.bench.peer import fapolicyd, unavailable
from tests.bench.rows import Row
from tests.bench.sites import fill, site

_LONGEST = 720  # seconds

PARTS: dict[str, Callable[[Language], Iterator[Row]]] = {}


def main(argv: list[str]) -> int:
    """Measure the parts that are named, all of them if none is. A missed bar is a finding and no failure."""
    options = argparse.ArgumentParser(prog="python -m tests.bench")
    options.add_argument("parts", nargs="*", metavar="PART", help=" | ".join(PARTS))
    options.add_argument("--write-docs", action="store_true", help="put the table into both pages of measurements")
    chosen = options.parse_args(argv)
    if chosen.parts and (chosen.write_docs or not PARTS.keys() >= set(chosen.parts)):
        options.error(f"parts are {', '.join(PARTS)}; the page takes all of them")
    language = choose_language(Home.at(None))
    if missing := volume_image.available():
        print(localized(missing, language), file=sys.stderr)
        return 1
    signal.signal(signal.SIGALRM, _too_long)
    signal.signal(signal.SIGTERM, _too_long)
    signal.alarm(_LONGEST)
    described = machine.describe()
    rows = [row for name, part in PARTS.items() if not chosen.parts or name in chosen.parts for row in part(language)]
    for line in (*report.machine_lines(described, language), "", *report.lines(rows, language)):
        print(line)
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    (build / "bench.json").write_text(report.as_json(rows, described), encoding="utf-8")
    if chosen.write_docs:
        report.write_page(ROOT / "docs" / "performance.md", rows, described)
        report.write_page(ROOT / "docs" / "performance.zh.md", rows, described, "zh")
    return 0


def _too_long(_number: int, _frame: object) -> NoReturn:
    raise TimeoutError("the bench was stopped, or took too long")


def _opens(language: Language) -> Iterator[Row]:
    with ExitStack() as stack:
        bare = stack.enter_context(volume_image.volume())
        bare.point.chmod(0o755)
        files = fill(bare.point / "plans")
        sites = {name: stack.enter_context(site(name)) for name in (opening.PROCESS, opening.POWER)}
        peers = {}
        if why := unavailable():
            _talk(Text(f"fapolicyd is left out: {why}", f"未比较 fapolicyd：{why}"), language)
        else:
            for name, writes in ((opening.PEER, False), (opening.WRITER, True)):
                there = bare.folder / name
                peers[name] = stack.enter_context(fapolicyd(there, {machine.pinned_cpu()}, writes=writes))
        yield from opening.rows(opening.Subjects(files, sites, peers))
        for name, one in sites.items():
            yield from rates.rows(name, one, Text("log on this disk", "日志在本机磁盘"))
        yield from reading.read_rows(files, sites[opening.PROCESS])
        sites[opening.POWER].stage.stop()
        yield reading.unprotected_row(files, sites[opening.PROCESS])
        for one in sites.values():
            one.stage.stop()
        with site(opening.POWER, under=_in_memory(bare.folder / "memory")) as quick:
            where = Text("log in memory, as on a disk with power-loss protection", "日志在内存，相当于带掉电保护的磁盘")
            yield from rates.rows("power-memory", quick, where)


def _in_memory(folder: Path) -> str:
    """Mount a filesystem whose fdatasync costs next to nothing; it goes with the volume *folder* belongs to."""
    folder.mkdir(mode=0o755)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755,size=2g", "none", str(folder)], check=True)
    return str(folder)


def _scale(_language: Language) -> Iterator[Row]:
    yield from scale.rows()


def _departures(_language: Language) -> Iterator[Row]:
    yield from departures.rows()


def _losses(_language: Language) -> Iterator[Row]:
    yield from losses.rows()


def _callers(_language: Language) -> Iterator[Row]:
    yield from callers.rows()


def _doors(_language: Language) -> Iterator[Row]:
    yield from doors_osdp.rows()
    yield from doors_uhppote.rows()


def _log(_language: Language) -> Iterator[Row]:
    yield from record.rows()


def _samba(language: Language) -> Iterator[Row]:
    from tests.bench import samba  # what it needs of the host no other part needs
    from tests.samba.server import required

    if why := required():
        _talk(Text(f"copies through Samba are left out: {why}", f"未测量经 Samba 的复制：{why}"), language)
    else:
        yield from samba.rows()


def _steps(_language: Language) -> Iterator[Row]:
    yield from steps.rows()


def _terminal(_language: Language) -> Iterator[Row]:
    from tests.bench import terminal  # it loads Textual, which no other part may have to pay for

    yield from terminal.rows()


def _talk(text: Text, language: Language) -> None:
    print(localized(text, language), file=sys.stderr, flush=True)


PARTS |= {
    "opens": _opens,
    "scale": _scale,
    "departures": _departures,
    "losses": _losses,
    "callers": _callers,
    "doors": _doors,
    "log": _log,
    "samba": _samba,
    "steps": _steps,
    "terminal": _terminal,
}

if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except ShoumiError as error:
        print("\n".join(error_lines(error, "en")), file=sys.stderr)
        code = error.exit_code
    sys.exit(code)
