"""Clients of the share that are at work, by the user's own tool, while somebody is held or leaves.

Rules of this file: each client is in the middle of something that waits for this process, so that nothing of it is done
before the block ends. A connection that has ended is as good a refusal as one that says so.
"""

import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.docs.shown import REFUSED
from tests.long.share_follower import SECONDS, Follower, until

_SIZE = 40 << 20  # more than smbclient asks for ahead of whoever reads what it gets
_ENDED = re.compile(
    rf"{REFUSED}|NT_STATUS_CONNECTION_|NT_STATUS_USER_SESSION_DELETED|NT_STATUS_NETWORK_|NT_STATUS_FILE_CLOSED"
)


class AtWork:
    """Clients that are connected: zhang gets a file and puts another, and the tool reads both slowly; li waits."""

    def __init__(self, follower: Follower, folder: Path) -> None:
        self.follower = follower
        fifo = folder / "got"
        os.mkfifo(fifo)
        self._clients = {
            "get": self._client("zhang", "-c", f"get big.bin {fifo}"),
            "put": self._client("zhang", "-c", "put - written.txt"),
            "waiting": self._client("zhang"),
            "other": self._client("li"),
        }
        self._got = fifo.open("rb", buffering=0)
        self.taken = len(self._got.read(1 << 16))
        self._write("put", "x" * (1 << 20))
        follower.expect(self.taken, "nothing was read")
        until(lambda: len(self._connected()) >= len(self._clients), "not all of the clients are connected")
        self._before = self._connected()

    def _client(self, account: str, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ("smbclient", "//127.0.0.1/drawings", "-U", account, *words), env=self.follower.environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def _connected(self) -> list[str]:
        """Return who is logged in, once for each session."""
        return re.findall(r"^\d+ +(zhang|li) ", self.follower.run("smbstatus -p").text, re.MULTILINE)

    def _write(self, name: str, text: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            pipe = self._clients[name].stdin
            assert pipe
            pipe.write(text)
            pipe.flush()

    def cut(self) -> None:
        """Go on with everything: what zhang does is refused or has broken off, li's connection is as it was."""
        while data := self._got.read(1 << 20):
            self.taken += len(data)
        self._got.close()
        self._write("put", "y" * (8 << 20))
        self._write("waiting", "get plan.txt /dev/null\n")
        self._write("other", "ls\n")
        said = {name: client.communicate(timeout=SECONDS)[0] for name, client in self._clients.items()}
        expect = self.follower.expect
        expect(self.taken < _SIZE, f"all {self.taken} bytes were read")
        for name in ("get", "put", "waiting"):
            ended = _ENDED.search(said[name]) or self._clients[name].returncode == -signal.SIGPIPE  # it has no server
            expect(ended, f"{name} went on: {said[name]}")
        expect(REFUSED in said["other"], f"li's connection is not as it was: {said['other']}")
        self.follower.count("clients at work that were cut", 3)

    def end(self) -> None:
        for client in self._clients.values():
            client.kill()
            client.wait()


def get_slowly(follower: Follower, command: str) -> None:
    """Have zhang get the large file, and run *command* in the middle of it: all of the file arrives."""
    fifo = Path(follower.own("mktemp -d").strip()) / "got"
    os.mkfifo(fifo)
    words = ("smbclient", "//127.0.0.1/drawings", "-U", "zhang", "-c", f"get big.bin {fifo}")
    with (
        subprocess.Popen(words, env=follower.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
        fifo.open("rb", buffering=0) as got,
    ):
        taken = len(got.read(1 << 16))
        follower.own(command)
        while data := got.read(1 << 20):
            taken += len(data)
    follower.expect(taken == _SIZE, f"{taken} bytes of {_SIZE} were read")


@contextlib.contextmanager
def at_work(follower: Follower) -> Iterator[None]:
    """Have clients at work when the block begins, and cut when it has ended."""
    folder = Path(follower.own("mktemp -d").strip())
    (folder / "big").write_bytes(os.urandom(_SIZE))
    follower.own(f"smbclient //127.0.0.1/drawings -U zhang -c 'put {folder}/big big.bin'", "putting file")
    working = AtWork(follower, folder)
    try:
        yield
        working.cut()
    finally:
        working.end()
