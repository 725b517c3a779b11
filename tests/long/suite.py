"""Running a part of the tests in a process of its own, for as long as there is time.

Rules of this file: a run whose time is over is ended as by Ctrl-C, so that it undoes what it made; whoever does not end
by that is killed.
"""

import os
import signal
import subprocess
import sys
from typing import NamedTuple

from tests import ROOT

_FAREWELL = 30.0  # seconds to undo what was made


class SuiteRun(NamedTuple):
    """How a run ended. ``code`` is ``None`` when its time was over: it found nothing that far."""

    code: int | None
    output: str


def run(seconds: float, *words: str) -> SuiteRun:
    """Run pytest with *words* for *seconds* at most."""
    process = subprocess.Popen(
        (sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", *words),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "COLUMNS": "120"},
    )
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=_FAREWELL)
        return SuiteRun(None, output)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    return SuiteRun(process.returncode, output)
