"""The demo, with an agent that is confined as its unit says and doors that are a service of their own.

``python -m tests.confinement.demo_under_units [FIRST LAST]`` plays these scenes, all without. Only the agent is
confined: the people of the demo do what people do.
"""

import pwd
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from agent.demo import play
from agent.demo import stage as staging
from agent.demo.stage import DemoStage
from agent.demo.story import STORY
from agent.runtime.supervisor import python
from tests import ROOT
from tests.confinement.unit_file import MAIN

ACCOUNT = "nobody"  # this host has no account for doors


def confined(module: str, *words: str) -> tuple[str, ...]:
    """Return the command line of *module*; of the agent itself, below its unit."""
    plain = python(module, *words)
    return (sys.executable, "-m", "tests.confinement.under_unit", str(MAIN), *plain) if words[-1] == "run" else plain


@contextmanager
def stage(pack: str = "minimal") -> Iterator[DemoStage]:
    """Make the demo's stage, with the service of the doors beside it."""
    with staging.stage(pack, settings=[f'doors_user = "{ACCOUNT}"']) as site:
        uid = pwd.getpwnam(ACCOUNT).pw_uid
        words = ("-m", "tests.confinement.doors_under_unit", str(site.home.doors), str(uid))
        doors = subprocess.Popen([sys.executable, *words], cwd=ROOT)
        try:
            yield site
        finally:
            doors.kill()
            doors.wait()


def main(first: int = 1, last: int = len(STORY)) -> int:
    """Play the scenes from *first* to *last*; return the exit code of the demo."""
    with mock.patch.object(staging, "python", confined), mock.patch.object(play, "stage", stage):
        return play.play(language="en", interactive=False, story=STORY[first - 1 : last])


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
