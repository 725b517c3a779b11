"""A process is itself by its number and its start, whatever it is called."""

import os
import subprocess
import sys

import psutil

from agent.kernel.start_time import start_time

SLEEPER = "open('/proc/self/comm', 'w').write(') 1 2 ('); print(flush=True); input()"


def since_boot(pid: int) -> float:
    """Return what psutil says. The second of the boot is reckoned anew at each look, and may be the next one."""
    while True:
        boot = psutil.boot_time()
        created = psutil.Process(pid).create_time()
        if boot == psutil.boot_time():
            return created - boot


def test_it_is_the_start_the_kernel_counts_also_of_a_process_with_a_name_made_to_mislead() -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEPER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        for pid in (child.pid, os.getpid()):
            ticks = start_time(pid)
            assert ticks is not None
            assert abs(ticks / os.sysconf("SC_CLK_TCK") - since_boot(pid)) < 1e-3
        child.communicate(b"\n")
    assert start_time(child.pid) is None
