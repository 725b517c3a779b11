"""Whatever umask the agent is started with, nobody else can write what it keeps, nor read what is nobody else's."""

import os
import stat
from pathlib import Path

import pytest

from tests import needs
from tests.control.site import running

pytestmark = needs.root
READ_BY_ALL = {"pack.toml", "config.toml"}


@pytest.mark.parametrize("umask", [0, 0o777])
def test_modes_of_a_running_agent_do_not_come_from_its_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with running(tmp_path / "home") as site:
            os.umask(before)
            with site.client() as client:
                client.call("person.add", person="E1")
                client.call("hold.add", person="E1", reason="x")
            assert site.control
            status = Path(f"/proc/{site.control.pid}/status").read_text()
            assert "\nUmask:\t0022\n" in status
            found = {path: path.lstat() for path in site.home.root.rglob("*")}
    finally:
        os.umask(before)
    ours = {
        path: one for path, one in found.items() if path.parent != site.home.log
    }  # the decider's are tried elsewhere
    writable = [path.name for path, one in ours.items() if one.st_mode & 0o022 and not stat.S_ISSOCK(one.st_mode)]
    assert writable == []
    readable = {path.name for path, one in ours.items() if stat.S_ISREG(one.st_mode) and one.st_mode & 0o044}
    assert readable <= READ_BY_ALL
