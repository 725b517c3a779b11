"""Programs of the tests: copies of the host's own, in a folder that nobody but root can write."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.demo.actors import ActorIdentity, ActorReply, attempt

REFUSED = "refused"  # what a program says that could not open its file


class Programs:
    """A folder of programs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def copy(self, of: str, name: str, mode: int = 0o755, owner: int = 0) -> str:
        """Copy a program of the host; return the path of the copy."""
        found = shutil.which(of)
        assert found
        path = self.folder / name
        path.unlink(missing_ok=True)
        shutil.copyfile(Path(found).resolve(), path)
        shutil.chown(path, owner)
        path.chmod(mode)
        return str(path)


@contextmanager
def programs() -> Iterator[Programs]:
    with tempfile.TemporaryDirectory(prefix="shoumi-programs-") as folder:
        Path(folder).chmod(0o755)
        yield Programs(Path(folder))


def running(*words: object, before: Callable[[], object] = lambda: None) -> Callable[[], object]:
    """Return an act that runs a program and says how many bytes it wrote, or that it was refused."""

    def act() -> object:
        before()
        done = subprocess.run(list(map(str, words)), capture_output=True, timeout=30, check=False)
        if b"Operation not permitted" in done.stderr:
            return REFUSED
        return len(done.stdout) if not done.returncode else done.stderr.decode()

    return act


def run(who: ActorIdentity, *words: object, before: Callable[[], object] = lambda: None) -> object:
    """Run a program as somebody; return what came of it."""
    reply: ActorReply = attempt(who, running(*words, before=before), 30)
    return reply.value if reply.allowed else reply.error
