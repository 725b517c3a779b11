"""Sites to measure on: the real agent with one person and two areas, and a volume nobody guards.

Rules of this file: sites are made and unmade by ``agent.demo.stage``; nothing here marks or mounts by itself.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agent.demo.actors import ActorIdentity
from agent.demo.stage import DemoStage, stage
from tests.bench.machine import Cpus, other_cpus

NO_LOGIN = 0xFFFF_FFFF  # an unset login uid, whoever runs the bench
READER = ActorIdentity(61001, NO_LOGIN)
FILES = 100
TEXT = "机密内容\n" * 400  # 5,200 bytes: a read of 4 KiB is a whole one


def fill(folder: Path) -> list[bytes]:
    """Make *folder* with documents in it; return their paths."""
    folder.mkdir(mode=0o755)
    paths = [folder / f"计划{number}.txt" for number in range(FILES)]
    for path in paths:
        path.write_text(TEXT)
    return [os.fsencode(path) for path in paths]


class Site:
    """A running agent. ``files`` are in an ordinary area, ``loud`` in one that has every read asked about."""

    def __init__(self, stage: DemoStage) -> None:
        self.stage = stage
        self.files = fill(stage.root / "plans")
        self.loud = fill(stage.root / "loud")

    def start(self) -> None:
        """Start the agent."""
        self.stage.start()
        os.sched_setaffinity(self.stage.process("control"), other_cpus())

    def furnish(self) -> None:
        """Tell the running agent about the person and the areas."""
        shoumi = self.stage.shoumi
        shoumi("person", "add", "E1", "--level", "secret", "--domain", "state", "--account", str(READER.uid))
        for name, options in (("plans", ()), ("loud", ("--each-read",))):
            at = str(self.stage.root / name)
            shoumi("area", "add", at, "--name", name, "--level", "secret", "--domain", "state", *options)
            shoumi("grant", "add", "E1", name, "--reason", "项目甲")

    def pin(self, cpus: Cpus) -> None:
        """Let the decider run on *cpus* only."""
        os.sched_setaffinity(self.stage.process("decider"), cpus)


@contextmanager
def site(durability: str, under: str | None = None) -> Iterator[Site]:
    """Start an agent with its own volume; *under* is the directory both lie in, if not the usual temporary one."""
    before, tempfile.tempdir = tempfile.tempdir, under or tempfile.tempdir
    try:
        with stage(settings=[f'durability = "{durability}"']) as made:
            running = Site(made)
            running.start()
            running.furnish()
            yield running
    finally:
        tempfile.tempdir = before
