"""A server process of the tests, and what it is asked to do."""

import contextlib
import json
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.enforcement.scene import SIZE

_ROOT = Path(__file__).parents[2]
CHUNK = min(512, SIZE)


class Server:
    """One process that acts for several people; *how* it takes their identities: ``smbd`` or ``setfsuid``."""

    def __init__(self, process: subprocess.Popen[str], how: str) -> None:
        self._process = process
        self._how = how
        self.pid = process.pid

    def ask(self, do: str, uid: int | None = None, thread: str = "main", **more: Any) -> Any:
        """Have *thread* take *uid* and do something; return what came of it, or the name of the error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"do": do, "uid": uid, "how": self._how, "thread": thread, **more}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        assert select.select([self._process.stdout], [], [], 20)[0], asked
        answer = json.loads(self._process.stdout.readline())
        return answer.get("error") or answer["value"]

    def next(self) -> Any:
        """Return what else it says."""
        assert self._process.stdout is not None
        assert select.select([self._process.stdout], [], [], 20)[0]
        answer = json.loads(self._process.stdout.readline())
        return answer.get("error") or answer["value"]

    def open(self, path: Path, uid: int, thread: str = "main", **more: Any) -> Any:
        return self.ask("open", uid, thread, path=str(path), **more)

    def read(self, fd: int, thread: str = "pool", uid: int | None = None) -> Any:
        return self.ask("read", uid, thread, fd=fd)

    def end(self) -> None:
        """End it now."""
        self._process.kill()
        self._process.wait(20)

    def close(self, fd: int) -> None:
        assert self.ask("close", fd=fd) is None


@contextmanager
def server(how: str = "smbd") -> Iterator[Server]:
    """Start one; it ends when the block does."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.enforcement.server_program"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=_ROOT,
    ) as process:  # fmt: skip
        try:
            yield Server(process, how)
        finally:
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
