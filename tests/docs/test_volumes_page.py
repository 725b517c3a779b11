"""The commands of docs/volumes.md, one after the other, on a real agent and a real disk."""

import subprocess
from pathlib import Path

import pytest

from agent.demo.stage import stage
from agent.kernel import mounting
from agent.runtime.supervisor import python
from tests import needs
from tests.docs.pages import commands
from tests.docs.reference import DOCS


@pytest.mark.kernel
@needs.kernel
def test_the_commands_of_the_page_run_in_their_order(tmp_path: Path) -> None:
    found = commands(DOCS / "volumes.md")
    assert sum(command.startswith("shoumi volume ") for command in found) >= 7
    with stage() as site:
        assert site.volume is not None
        site.start()
        shoumi = " ".join(python("agent.cli", "--home", str(site.home.root)))
        folder = site.volume.folder
        try:
            for command in found:
                line = command.replace("/srv/", f"{folder}/").replace("shoumi ", f"{shoumi} ", 1)
                done = subprocess.run(["sh", "-ec", line], check=False, capture_output=True, text=True, timeout=60)
                assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        finally:
            mounting.unmount_below(str(folder / "plans"))
