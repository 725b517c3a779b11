"""Stock kernels of Debian, each booted without KVM over this machine's own files: the agent keeps its promises there.

A round is one kernel: ``tests.long.guest_checks`` runs in it and says what it saw. The long form (``make kernels``)
records that in ``docs/kernels.json``, from which ``docs/kernels.md`` is made; the short form runs one kernel, another
one for each commit, and records nothing.
"""

import json
import re
import shlex
import sys
from datetime import UTC, datetime
from typing import Any

from tests import ROOT
from tests.long import guest, guest_image, kernel_packages, results
from tests.long.rounds import Part, Run

RECORD = ROOT / "docs" / "kernels.json"
_CACHE = ROOT / "build" / "kernels"
_SECONDS, _SHORT_SECONDS = 3_000.0, 200.0
_PYTHON = shlex.quote(sys.executable)
_TOLD = re.compile(r"^(CHECK|RESULT) ")


def run(run: Run) -> None:
    """Boot a kernel a round."""
    every = tuple(kernel_packages.SUITES)
    first = run.chance(0).randrange(len(every)) if run.short else 0
    for number in run.rounds():
        series = every[(first + number) % len(every)]
        kernel = kernel_packages.kernel(series, _CACHE)
        _round(run, series, kernel)


def _round(run: Run, series: str, kernel: kernel_packages.Kernel) -> None:
    word = " --short" if run.short else ""
    command = (
        f"cd {shlex.quote(str(ROOT))}; export SHOUMI_LANG=en PYTHONDONTWRITEBYTECODE=1; "
        f"{_PYTHON} -m tests.long.guest_checks{word} 2>&1"
    )

    def hear(line: str) -> None:
        if _TOLD.match(line):
            run.say(f"{series}: {line[:200]}")

    seconds = _SHORT_SECONDS if run.short else _SECONDS
    found = guest.run(kernel, command, seconds, hear, guest_image.image(_CACHE))
    run.count("kernels booted")
    said = re.search(r"^RESULT (.*)$", found.output, re.MULTILINE)
    if said is None:
        ended = "was not over in time" if found.code is None else f"ended with {found.code}"
        run.fail(f"{kernel.version}: {ended}: {found.output[-1500:]}")
        return
    result = json.loads(said[1])
    checks = result["checks"]
    run.count("checks", len(checks))
    run.note(f"{kernel.version}: tier {result.get('tier', 'none')}; {_counted(checks)}")
    for name, word in checks.items():
        if word == "failed":
            told = found.output.partition(f"CHECK {name} failed ")[2].partition("\nCHECK ")[0]
            run.fail(f"{kernel.version}: {name}: {told}")
    if not run.short:
        _record(series, kernel, result)


def _counted(checks: dict[str, str]) -> str:
    failed = [name for name, word in checks.items() if word != "ok"]
    return f"{len(checks) - len(failed)} of {len(checks)} checks held" + (
        f", not: {', '.join(failed)}" if failed else ""
    )


def _record(series: str, kernel: kernel_packages.Kernel, result: dict[str, Any]) -> None:
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    commit, _ = results.commit()
    seen = {"package": kernel.package, "seen": f"{datetime.now(UTC):%F}", "commit": commit}
    record[series] = seen | {name: result.get(name) for name in ("kernel", "tier", "flags", "works", "cuts", "checks")}
    ordered = {name: record[name] for name in kernel_packages.SUITES if name in record}
    RECORD.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


PART = Part(
    "kernels",
    "stock kernels in QEMU",
    run,
    rounds=len(kernel_packages.SUITES),
    short=1,
    needs=(*guest.PACKAGES, *kernel_packages.PACKAGES, "e2fsprogs", "xfsprogs", "util-linux"),
)
