"""Stock kernels of Debian, each booted without KVM over this machine's own files: what the agent says and does there.

A round is one kernel. It records how ``shoumi doctor`` and the demo end; that is no judgement where nothing is promised
yet (see :data:`KNOWN`). What fails is this harness, and a kernel on which the agent is meant to work and does not.
"""

import re
import shlex
import sys
from typing import NamedTuple

from tests import ROOT
from tests.long import guest
from tests.long.rounds import Part, Run

SERIES = ("6.1", "6.12", "6.18")
KNOWN = {
    "6.1": "doctor and the demo end in a traceback, about a descriptor of -1 where a group could not be made",
    "6.12": "no pre-access events: nothing can be cut, and the demo cannot protect its directories",
}
"""Series on which the agent is known not to work yet, and why. A series that is not here must work."""

_CACHE = ROOT / "build" / "kernels"
_DOCTOR_SECONDS, _DEMO_SECONDS = 240.0, 900.0
_SHORT_BOOT, _SHORT_DEMO = 60.0, 90.0
_PATIENT = (  # the demo on a machine that is twenty times slower
    "import sys; from agent.demo import stage, traffic; stage.START_SECONDS = traffic.PATIENCE = 400; "
    "from agent.demo.play import play; sys.exit(play(language='en', interactive=False))"
)
_PYTHON = shlex.quote(sys.executable)
_SHOUMI = f"{_PYTHON} -m agent.cli"


class Said(NamedTuple):
    """How a command ended in the guest."""

    code: int | None
    line: str


def run(run: Run) -> None:
    """Boot a kernel a round."""
    first = run.chance(0).randrange(len(SERIES)) if run.short else 0
    for number in run.rounds():
        series = SERIES[(first + number) % len(SERIES)]
        kernel = guest.kernel(series, _CACHE)
        if kernel is None:
            run.note(f"{series}: no source has such a kernel")
            continue
        _round(run, series, kernel)


def _round(run: Run, series: str, kernel: guest.Kernel) -> None:
    doctor_seconds = _SHORT_BOOT if run.short else _DOCTOR_SECONDS
    demo_seconds = max(20.0, min(_SHORT_DEMO, run.seconds_left - doctor_seconds)) if run.short else _DEMO_SECONDS
    command = (
        f"cd {shlex.quote(str(ROOT))}; export SHOUMI_LANG=en PYTHONDONTWRITEBYTECODE=1; H=$TMPDIR/site; "
        f"{_SHOUMI} --home $H init --pack minimal >/dev/null; "
        f"echo DOCTOR; timeout {doctor_seconds:.0f} {_SHOUMI} --home $H doctor 2>&1; echo DOCTOR-RC=$?; "
        f"echo DEMO; timeout {demo_seconds:.0f} {_PYTHON} -c {shlex.quote(_PATIENT)} 2>&1; echo DEMO-RC=$?"
    )
    found = guest.run(kernel, command, doctor_seconds + demo_seconds + 60)
    doctor, demo = _part(found.output, "DOCTOR"), _part(found.output, "DEMO")
    run.count("kernels booted")
    run.note(f"{kernel.version}: doctor {_shown(doctor)}; demo {_shown(demo)}")
    too_slow = demo.code in (None, 124)
    if series in KNOWN:
        run.note(f"{series} is known: {KNOWN[series]}")
    elif doctor.code == 2 or "Traceback" in found.output:
        run.fail(f"{kernel.version}: {found.output[-1500:]}")
    elif demo.code and not too_slow:
        run.fail(f"{kernel.version}: the demo ends with {demo.code}: {found.output[-1500:]}")
    elif too_slow and not run.short:
        run.fail(f"{kernel.version}: the demo did not end in {demo_seconds:.0f} s")


def _part(output: str, name: str) -> Said:
    """Return how one command ended, with the first line that speaks of an error, or its last one."""
    text = output.partition(f"{name}\n")[2] or output.partition(f"{name}\r\n")[2]
    said, _, rest = text.partition(f"{name}-RC=")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    wrong = [line for line in lines if re.search(r"Error\b|error:|^shoumi:|FAIL|✗", line)]
    code = re.match(r"\d+", rest)
    return Said(int(code[0]) if code else None, (wrong or lines[-1:] or ["nothing"])[0][:200])


def _shown(said: Said) -> str:
    ended = "was not over in time" if said.code in (None, 124) else f"exit {said.code}"
    return f"{ended}, `{said.line}`"


PART = Part("kernels", "stock kernels in QEMU", run, rounds=len(SERIES), short=1, needs=guest.PACKAGES)
