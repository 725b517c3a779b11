"""A part of the long tests that is a program of its own in a guest: a round is one kernel, booted once.

The program prints what :class:`tests.long.guest_seen.Checks` says, knows ``--short``, and ends with 0 only when all of
it held. A short round may be over before the program is: what it saw until then counts.
"""

import re
import shlex
import sys
from collections.abc import Sequence
from typing import NamedTuple

from tests import ROOT
from tests.long import guest, guest_image, kernel_packages
from tests.long.rounds import Part, Run

_CACHE = ROOT / "build" / "kernels"
_SECONDS = 3_000.0
_CHECK = re.compile(r"^CHECK (.+?) (ok|failed) \[", re.MULTILINE)


class GuestProgram(NamedTuple):
    """``module`` runs once in a guest with a kernel of each of ``series``, for ``short`` seconds at most in short."""

    module: str
    series: Sequence[str]
    short: float
    needs: tuple[str, ...]

    def part(self, name: str, what: str) -> Part:
        """Return it as a part of the long tests."""
        needs = (*guest.PACKAGES, *kernel_packages.PACKAGES, *self.needs)
        return Part(name, what, self.run, rounds=len(self.series), short=1, needs=needs)

    def run(self, run: Run) -> None:
        """Boot a kernel a round."""
        for number in run.rounds():
            self._boot(run, kernel_packages.kernel(self.series[number % len(self.series)], _CACHE))

    def _boot(self, run: Run, kernel: kernel_packages.Kernel) -> None:
        word = " --short" if run.short else ""
        command = (
            f"cd {shlex.quote(str(ROOT))}; export SHOUMI_LANG=en PYTHONDONTWRITEBYTECODE=1; "
            f"{shlex.quote(sys.executable)} -m {self.module}{word} 2>&1"
        )
        seconds = self.short if run.short else _SECONDS
        found = guest.run(kernel, command, seconds, run.say, guest_image.image(_CACHE))
        checks = _CHECK.findall(found.output)
        held = [name for name, word in checks if word == "ok"]
        run.count("checks", len(checks))
        run.note(f"{kernel.version}: {len(held)} held: {', '.join(held)}")
        for name in (name for name, word in checks if word == "failed"):
            told = found.output.partition(f"CHECK {name} failed ")[2].partition("\nCHECK ")[0]
            run.fail(f"{kernel.version}: {name}: {told[:1500]}")
        if found.code is None and run.short and checks:
            run.note(f"{kernel.version}: its time was over first")
        elif found.code != 0 and len(held) == len(checks):
            run.fail(f"{kernel.version}: ended with {found.code}: {found.output[-1500:]}")
