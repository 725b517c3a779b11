"""The holder's groups in systemd's store: a real datagram socket plays systemd, real descriptors travel."""

import os
import socket
import subprocess
import sys
from pathlib import Path

from agent.kernel import fdstore


def test_without_systemd_nothing_happens() -> None:
    assert not fdstore.keep({"open": 0}, {})
    assert fdstore.taken({"LISTEN_PID": "1", "LISTEN_FDS": "1"}) == {}


def test_groups_are_kept_by_name_and_dropped_again(tmp_path: Path) -> None:
    address = tmp_path / "notify"
    read, write = os.pipe()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(address))
        environment = {"NOTIFY_SOCKET": str(address)}
        assert fdstore.keep({"open": write}, environment)
        message, fds, _, _ = socket.recv_fds(systemd, 4096, 4)
        assert message.decode().splitlines() == ["FDSTORE=1", "FDNAME=shoumi-open", "FDPOLL=0"]
        os.write(fds[0], b"still the same pipe")
        assert os.read(read, 100) == b"still the same pipe"
        fdstore.drop({"open": write}, environment)
        assert systemd.recv(4096) == b"FDSTOREREMOVE=1\nFDNAME=shoumi-open"
        for fd in (*fds, read, write):
            os.close(fd)


def test_a_successor_takes_them_over_and_leaves_strangers_closed() -> None:
    program = (
        "import os\n"
        "os.environ['LISTEN_PID'] = str(os.getpid())\n"
        "from agent.kernel import fdstore\n"
        "found = fdstore.taken()\n"
        "stranger = os.path.exists('/proc/self/fd/4')\n"
        "print(sorted(found), os.read(found['open'], 10), 'LISTEN_FDS' in os.environ, stranger)\n"
    )
    read, write = os.pipe()
    os.write(write, b"waiting")
    environment = {**os.environ, "LISTEN_FDS": "2", "LISTEN_FDNAMES": "shoumi-open:stranger"}
    shell = ["bash", "-c", f'exec 3<&{read} 4</dev/null; exec "$0" -c "$1"', sys.executable, program]
    done = subprocess.run(shell, pass_fds=[read], env=environment, capture_output=True, text=True, check=True)
    os.close(read)
    os.close(write)
    assert done.stdout.split() == ["['open']", "b'waiting'", "False", "False"]
