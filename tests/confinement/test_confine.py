"""What a process gives up besides calls: files it could write, threads it could start, a core it could leave."""

import subprocess
import sys

from tests import needs

_DOORS = """
import errno, os, resource, sys, tempfile
from agent.confinement import confine, process_rights
file = tempfile.TemporaryFile()
confine.confine(process_rights.DOORS, lambda line: print(line, file=sys.stderr))
for which in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC):
    print(*resource.getrlimit(which))
try:
    os.write(file.fileno(), b"x")
except OSError as error:
    print(errno.errorcode[error.errno])
read, write = os.pipe()
print(os.write(write, b"to a person"))
try:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, 1))
except (OSError, ValueError) as error:
    print("not raised again")
"""

_HOLDER = """
import subprocess
from agent.confinement import capabilities, confine, process_rights
confine.confine(process_rights.HOLDER, print)
print(capabilities.held() == process_rights.HOLDER.mask)
child = "from agent.confinement import capabilities, confine, process_rights as rights\\n" \
    "confine.confine(rights.CONTROL, print); print(capabilities.held() == rights.CONTROL.mask)"
import sys
sys.stdout.flush()
subprocess.run([sys.executable, "-c", child], check=True)
"""


def _said(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.splitlines()


@needs.root
def test_the_doors_write_no_file_leave_no_core_and_start_few_threads_and_speak_on() -> None:
    assert _said(_DOORS) == ["0 0", "0 0", "256 256", "EFBIG", "11", "not raised again"]


@needs.root
def test_the_holder_has_three_rights_and_what_it_starts_gets_the_twelve_it_was_left() -> None:
    assert _said(_HOLDER) == ["True", "True"]
