"""Children that try one thing each, a few at once, each with a time by which it has ended or is ended.

Rules of this file: a child is a process group of its own, so that nothing it started stays. What it says is one JSON
line on a pipe; one that says nothing, by a signal, a crash or its time, is *silent*.
"""

import contextlib
import json
import os
import resource
import select
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

_MEMORY = 3 << 30  # bytes of addresses: a mutant that collects for ever ends by itself


class Job(NamedTuple):
    """What a child does. ``do`` is called in it with a folder of its own, and its answer is what the child says."""

    name: Any
    seconds: float
    do: Callable[[Path], Any]
    loud: bool = False
    """Whether what it prints is seen."""


class Crash(NamedTuple):
    """What is said in the place of an answer by a child that an exception has ended."""

    why: str


class _Running(NamedTuple):
    job: Job
    pid: int
    until: float
    folder: Path


def run(jobs: Iterable[Job], at_once: int) -> Iterator[tuple[Any, Any]]:
    """Yield (name, what its child said, ``None`` for a silent one), in the order in which they end."""
    waiting, running = iter(jobs), dict[int, _Running]()
    try:
        while True:
            while len(running) < at_once and (job := next(waiting, None)) is not None:
                pipe, child = _start(job)
                running[pipe] = child
            if not running:
                return
            soonest = min(child.until for child in running.values())
            ready, _, _ = select.select(list(running), [], [], max(0.0, soonest - time.monotonic()))
            over = [pipe for pipe, child in running.items() if child.until <= time.monotonic()]
            for pipe in dict.fromkeys((*ready, *over)):
                said = _end(pipe, running[pipe], hear=pipe in ready)
                yield running.pop(pipe).job.name, said
    finally:
        for pipe, child in running.items():
            _end(pipe, child, hear=False)


def _start(job: Job) -> tuple[int, _Running]:
    reading, writing = os.pipe()
    folder = Path(tempfile.mkdtemp(prefix="mutant-"))
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.setsid()
            os.close(reading)
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            null = os.open(os.devnull, os.O_RDWR)
            for descriptor in range(1 if job.loud else 3):
                os.dup2(null, descriptor)
            said = json.dumps(_tried(job, folder)).encode()
            with os.fdopen(writing, "wb") as pipe:
                pipe.write(said + b"\n")
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    return reading, _Running(job, pid, time.monotonic() + job.seconds, folder)


def _tried(job: Job, folder: Path) -> Any:
    try:
        return job.do(folder)
    except Exception as error:
        if job.loud:
            raise
        return Crash(f"{type(error).__name__}: {error}"[:200])


def _end(pipe: int, child: _Running, *, hear: bool) -> Any:
    with os.fdopen(pipe, "rb") as said:
        text = said.readline() if hear else b""
    for kill in (os.kill, os.killpg):  # the group as well: it is there as soon as the child has run at all
        with contextlib.suppress(ProcessLookupError):
            kill(child.pid, signal.SIGKILL)
    os.waitpid(child.pid, 0)
    shutil.rmtree(child.folder, ignore_errors=True)
    return json.loads(text) if text.endswith(b"\n") else None
