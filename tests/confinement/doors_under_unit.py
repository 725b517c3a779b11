"""The doors process as its unit has it: ``python -m tests.confinement.doors_under_unit SOCKET UID``, until we end.

Rules of this file: it comes back whenever it has ended, as ``Restart=always`` has it. It is forked after its imports,
because the account of the doors need not be able to read where Python is on this machine.
"""

import importlib
import os
import signal
import sys
import time
from pathlib import Path

from agent.demo.parting import end_with_parent
from agent.doors import __main__ as doors
from agent.doors import dispatcher  # noqa: F401 - what it imports when it runs
from tests.confinement.under_unit import confine
from tests.confinement.unit_file import DOORS, Unit

_AGAIN = 0.1
_LATE_IMPORTS = ("_strptime", "concurrent.futures.thread", "encodings.idna")


def begin(path: str, uid: int, unit: Unit) -> int:
    """Fork a doors process that is *uid* and confined by *unit*; return its process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        end_with_parent(signal.SIGKILL)
        confine(unit)
        code = doors.main([f"connect={path}"])
    finally:
        os._exit(code)


def main(path: str, uid: int) -> None:
    """Keep one running."""
    unit = Unit(DOORS)
    unit.calls()  # asks systemd-analyze, which a confined process cannot
    while True:
        if Path(path).exists():
            os.waitpid(begin(path, uid, unit), 0)
        time.sleep(_AGAIN)


for name in _LATE_IMPORTS:
    importlib.import_module(name)

if __name__ == "__main__":
    end_with_parent(signal.SIGKILL)
    main(sys.argv[1], int(sys.argv[2]))
