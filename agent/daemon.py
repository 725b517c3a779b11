"""``shoumi run``: the one place where the processes of an agent are wired together.

Rules of this file: it reads the host's settings, takes the home's lock and becomes the holder. The children are
started with ``-I``, so that neither the working directory nor the environment can put code into a root process.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agent.confinement import process_rights
from agent.confinement.confine import confine
from agent.errors import RefusedError
from agent.guard.holder import Holder
from agent.runtime import config, ours
from agent.runtime.home import UMASK, Home
from agent.runtime.saying import say
from agent.runtime.supervisor import python
from rules.text import Text
from rules.visible import visible


def run(home: Home, announce: Callable[[str], bool]) -> int:
    """Run the agent of *home* in the foreground until it is told to stop; return the exit code.

    *announce* gets the one line that says the agent enforces, ``ready tier=A areas=1``, and returns whether it could
    be said without waiting. Raises :class:`RefusedError` when the site was never made, another agent runs on it, or
    this machine does not let us enforce anything.
    """
    os.umask(UMASK)
    settings = config.load(home.config)
    _only_ours(home)
    with _alone(home):
        confine(process_rights.HOLDER, say)
        try:
            holder = Holder(
                decider=python("agent.guard.decider", str(home.root), settings.durability),
                control=python("agent.control", str(home.root)),
                watcher=python("agent.guard.mount_watcher", str(home.root)),
                patience=settings.heartbeat_seconds,
                home=home,
            )
        except PermissionError:
            raise RefusedError(
                Text("this machine does not let us ask before files are opened", "本机不允许在打开文件之前进行判定"),
                Text(
                    "run as root with CAP_SYS_ADMIN; see `shoumi doctor`",
                    "请以 root(CAP_SYS_ADMIN)运行；见 `shoumi doctor`",
                ),
            ) from None
        holder.run(announce)
    return 0


def _only_ours(home: Home) -> None:
    """Raise :class:`RefusedError` where others could put a file of theirs among those the agent believes."""
    try:
        for folder in (home.log, home.index, home.run):
            ours.check_folders(folder / "any")
    except ours.OthersCanWriteError as error:
        raise error.refused() from None
    except OSError as error:
        said = visible(error.strerror or "")
        raise RefusedError(Text(f"the home cannot be used: {said}", f"无法使用主目录：{said}")) from None


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    try:
        lock = os.open(home.run / "agent.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        said = visible(error.strerror or "")
        raise RefusedError(Text(f"the home cannot be used: {said}", f"无法使用主目录：{said}")) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RefusedError(
            Text(
                f"an agent runs on `{visible(str(home.root))}` already", f"`{visible(str(home.root))}` 上已有代理在运行"
            ),
            Text("see `shoumi status`", "请查看 `shoumi status`"),
        ) from None
    else:
        yield
    finally:
        os.close(lock)
