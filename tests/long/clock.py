"""The clock of a real kernel, set by ten years and back under a running agent: in a guest, never on this machine.

A round is one boot of one kernel; :mod:`tests.long.clock_guest` is what runs in it, and says what was so.
"""

import shlex
import sys

from tests import ROOT
from tests.long import guest, guest_image, kernel_packages
from tests.long.rounds import Part, Run

SERIES = "6.18"
_CACHE = ROOT / "build" / "kernels"
_SECONDS = 3_000.0
_SHORT_SECONDS = 130.0


def run(run: Run) -> None:
    """Boot it, and read what it says."""
    for _ in run.rounds():
        kernel = kernel_packages.kernel(SERIES, _CACHE)
        seconds = min(_SHORT_SECONDS, run.seconds_left) if run.short else _SECONDS
        python, root = shlex.quote(sys.executable), shlex.quote(str(ROOT))
        command = f"cd {root}; export PYTHONDONTWRITEBYTECODE=1; {python} -m tests.long.clock_guest 2>&1"
        found = guest.run(kernel, command, seconds, image=guest_image.image(_CACHE))
        lines = [line.strip() for line in found.output.splitlines()]
        right = [line for line in lines if line.startswith("ok: ")]
        wrong = [line for line in lines if line.startswith("NOT SO: ")]
        run.count("things seen to be so", len(right))
        if wrong or (found.code and not run.short) or "Traceback" in found.output:
            run.fail(f"{kernel.version}: {wrong or found.output[-1500:]}")
        elif found.code is None:
            run.note(f"{kernel.version}: not over in {seconds:.0f} s; last: {(right or ['nothing'])[-1]}")
            if not run.short:
                run.fail(f"{kernel.version}: not over in {seconds:.0f} s")
        else:
            run.note(f"{kernel.version}: {len(right)} things seen to be so")


PART = Part("clock", "clock steps in QEMU", run, rounds=1, short=1, needs=(*guest.PACKAGES, *kernel_packages.PACKAGES))
