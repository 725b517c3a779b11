"""A LUKS volume in a guest: this machine's own device mapper is left alone (``tests.long.guest_luks`` runs in there).

A round is one kernel.
"""

import re
import shlex
import sys

from tests import ROOT
from tests.long import guest, guest_image, kernel_packages
from tests.long.rounds import Part, Run

SERIES = ("6.12", "6.18", "6.1")
_CACHE = ROOT / "build" / "kernels"
_SECONDS, _SHORT_SECONDS = 2_400.0, 170.0
_PYTHON = shlex.quote(sys.executable)


def run(run: Run) -> None:
    """Boot a kernel a round."""
    for number in run.rounds():
        kernel = kernel_packages.kernel(SERIES[number % len(SERIES)], _CACHE)
        word = " --short" if run.short else ""
        command = (
            f"cd {shlex.quote(str(ROOT))}; export SHOUMI_LANG=en PYTHONDONTWRITEBYTECODE=1; "
            f"{_PYTHON} -m tests.long.guest_luks{word} 2>&1"
        )
        seconds = _SHORT_SECONDS if run.short else _SECONDS
        found = guest.run(kernel, command, seconds, run.say, guest_image.image(_CACHE))
        checks = re.findall(r"^CHECK (.+?) (ok|failed) \[", found.output, re.MULTILINE)
        run.count("checks", len(checks))
        run.note(f"{kernel.version}: {', '.join(name for name, word in checks if word == 'ok')}")
        if found.code is None and run.short:
            run.note(f"{kernel.version}: its time was over first")
        elif found.code != 0:
            run.fail(f"{kernel.version}: ended with {found.code}: {found.output[-1500:]}")
        for name, word in checks:
            if word == "failed":
                run.fail(f"{kernel.version}: {name}")


PART = Part(
    "luks",
    "a LUKS volume in QEMU",
    run,
    rounds=len(SERIES),
    short=1,
    needs=(*guest.PACKAGES, *kernel_packages.PACKAGES, "cryptsetup-bin", "e2fsprogs", "util-linux"),
)
