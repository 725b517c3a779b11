"""A stock kernel in QEMU without KVM, over this machine's own files: what a test of other kernels runs in.

The guest sees the whole root of this machine read-only through 9p, with a layer in memory on top: whatever is done in
there, nothing reaches this machine. Python is ten to twenty times slower than outside.

Rules of this file: a guest ends with its command, with its time, or with us; what it says comes back line by line while
it runs.
"""

import base64
import re
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.long.kernel_packages import HarnessError, Kernel

PACKAGES = ("qemu-system-x86", "seabios")
_MEMORY = "2500"
_FASTER = " mitigations=off norandmaps"  # what these cost an emulated machine is no part of any test


class GuestRun(NamedTuple):
    """What a command in the guest came to. ``code`` is ``None`` when the time was over."""

    code: int | None
    output: str


def run(
    kernel: Kernel,
    command: str,
    seconds: float,
    hear: Callable[[str], None] | None = None,
    image: Path | None = None,
) -> GuestRun:
    """Boot *kernel*, run *command* in bash as root, and return its exit code and what the console showed.

    *hear* is given each line of the console as it comes, *image* lies over the root of this machine
    (:mod:`tests.long.guest_image`). Raises :class:`HarnessError` when the guest does not come up.
    """
    told = base64.b64encode(command.encode()).decode()
    append = (
        f"console=ttyS0 quiet loglevel=3 panic=-1 random.trust_cpu=on audit=1{_FASTER}"
        f" guestmodules={kernel.modules} guestcmd={told}"
    )
    words = [
        *("qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", _MEMORY),
        *("-nographic", "-no-reboot", "-nodefaults", "-serial", "stdio", "-monitor", "none"),
        *("-kernel", str(kernel.image), "-initrd", str(kernel.initrd), "-append", append),
        *("-virtfs", "local,path=/,mount_tag=host,security_model=none,multidevs=remap,readonly=on"),
    ]
    if image:
        words += ["-drive", f"file={image},if=virtio,format=raw,readonly=on"]
    process = subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", text=True
    )
    assert process.stdout is not None
    late = threading.Timer(seconds, process.kill)
    late.start()
    lines: list[str] = []
    try:
        for line in process.stdout:
            lines.append(line)
            if hear:
                hear(line.rstrip())
        process.wait()
    finally:
        late.cancel()
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stdout.close()
    said = "".join(lines).replace("\r\n", "\n")
    if "GUEST-BEGINS" not in said:
        raise HarnessError(f"{kernel.version} did not come up: {said[-1500:]}")
    ended = re.search(r"GUEST-RC=([0-9]+)", said)
    return GuestRun(int(ended[1]) if ended else None, said.partition("GUEST-BEGINS")[2].partition("GUEST-RC=")[0])
