"""``shoumi run``: the start of an agent, where its processes are connected.

Rules of this file: it reads the host's settings, takes the home's lock and becomes the holder. The children are started
with ``-I``, so that neither the working directory nor the environment can put code into a root process.
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
from rules.text import Message
from rules.visible import visible


def run(home: Home, announce: Callable[[str], bool]) -> int:
    """Run the agent of *home* in the foreground until it is told to stop; return the exit code.

    *announce* gets the one line that says the agent enforces, ``ready tier=A areas=1``, and returns whether it was
    written without waiting. Raises :class:`RefusedError` when the site was never initialised, another agent runs on it,
    or this machine does not permit enforcement.
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
                Message("runtime.enforcement-not-permitted"),
                Message("runtime.run-as-root"),
            ) from None
        holder.run(announce)
    return 0


def _only_ours(home: Home) -> None:
    """Raise :class:`RefusedError` where others could replace a file the agent trusts."""
    try:
        for folder in (home.log, home.index, home.run):
            ours.check_folders(folder / "any")
    except ours.OthersCanWriteError as error:
        raise error.refused() from None
    except OSError as error:
        reason = visible(error.strerror or "")
        raise RefusedError(Message("runtime.home-unusable", reason=reason)) from None


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    try:
        lock = os.open(home.run / "agent.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        reason = visible(error.strerror or "")
        raise RefusedError(Message("runtime.home-unusable", reason=reason)) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RefusedError(
            Message("runtime.agent-already-running", root=str(home.root)),
            Message("runtime.run-status"),
        ) from None
    else:
        yield
    finally:
        os.close(lock)
