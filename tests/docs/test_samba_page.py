"""The commands of docs/samba.md in both languages, one after the other: a real agent, a real smbd, the user's own tool.

What is changed of a line: the places (``/srv`` is a folder of the test, Samba's are those of the kit), the port, the
two uids, and where accounts are written down (``useradd --prefix``, shown to this server alone). ``apt install`` is
compared with what CI installs, passwords are typed, and ``systemctl restart smbd`` is the command of its unit.
"""

import contextlib
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from smbprotocol import exceptions

from agent.demo.stage import DemoStage, stage
from agent.kernel import mounting
from agent.runtime.supervisor import python
from agent.volumes.refusals import refusal
from tests import ROOT, needs
from tests.docs import shown
from tests.docs.pages import commands
from tests.docs.reference import DOCS
from tests.enforcement.scene import CLEARED, TOO_LOW, dead_man
from tests.samba import server
from tests.samba.clients import READ, WRITE, connection, log_in
from tests.samba.server import PASSWORD, FileServer
from tests.sentences import en, zh
from tests.volumes.machine import GOOD

PAGES = {"en": DOCS / "samba.md", "zh": DOCS / "samba.zh.md"}
each_language = pytest.mark.parametrize("language", PAGES)
_PACKAGES = re.compile(r"^need (.*)$", re.MULTILINE)


def blocks(page: Path, kind: str) -> list[str]:
    return [block.text for block in shown.blocks(page.read_text(encoding="utf-8")) if block.kind == kind]


def commands_of(page: Path) -> list[shown.Shown]:
    return [one for block in blocks(page, "console") for one in shown.shown(block)]


class Run:
    """A page that is being run."""

    def __init__(self, site: DemoStage, served: FileServer, language: str) -> None:
        assert site.volume is not None
        self.site, self.served, self.stack = site, served, contextlib.ExitStack()
        self.folder = site.volume.folder
        self.shoumi = " ".join(python("agent.cli", "--home", str(site.home.root)))
        self.environment = {"SHOUMI_LANG": language, "PASSWD": PASSWORD}

    def here(self, text: str) -> str:
        """Return *text* with the places and numbers of this run."""
        places = {"/srv/": f"{self.folder}/", "/var/log/samba/": f"{self.served.folder}/log/"}
        for written, found in (places | {"61201": str(CLEARED.uid), "61202": str(TOO_LOW.uid)}).items():
            text = text.replace(written, found)
        return text

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        line, typed = self.here(command), ""
        tool, _, rest = line.partition(" ")
        kept, environment = self.served, {**os.environ, **self.environment}
        if line == "systemctl restart smbd":
            self.stack.enter_context(kept.running())
            return subprocess.CompletedProcess(command, 0, "", "")
        if tool == "shoumi":
            line = f"{self.shoumi} {rest}"
        else:
            environment |= kept.environment
        if tool in ("useradd", "groupadd"):
            line = f"{tool} --prefix {kept.folder} {rest}"
        elif tool == "testparm":
            line = f"{line} {kept.configuration}"
        elif tool == "smbpasswd":
            line, typed = f"{tool} -c {kept.configuration} -s {rest}", f"{PASSWORD}\n{PASSWORD}\n"
        elif tool == "smbclient":
            line = f"{tool} -s {kept.configuration} -p {kept.port} {rest}"
        return subprocess.run(
            ("sh", "-ec", line), input=typed, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def check(self, one: shown.Shown) -> None:
        """Run a command and look for each line of the page in what it says, in that order."""
        done = self.run(one.command)
        here = one._replace(said=tuple(map(self.here, one.said)))
        assert not shown.wrong(here, done.returncode, done.stdout + done.stderr)


@contextlib.contextmanager
def prepared(language: str) -> Iterator[Run]:
    with stage() as site, dead_man(site):
        assert site.volume is not None
        site.start()
        run = Run(site, server.made(site.volume.folder / "samba"), language)
        with run.stack:
            try:
                [configuration, _unit, _another] = blocks(PAGES[language], "ini")
                run.served.configure(run.here(configuration))
                yield run
            finally:
                run.stack.close()
                mounting.unmount_below(str(site.volume.folder / "plans"))


@pytest.mark.kernel
@needs.kernel
@needs.needs(server.required)
@each_language
def test_the_commands_of_the_page_run_in_their_order_and_say_what_it_shows(language: str) -> None:
    found = commands_of(PAGES[language])
    assert len(found) >= 25
    with prepared(language) as run:
        for one in found:
            if not one.command.startswith("shoumi hold add"):
                run.check(one)
                continue
            with connection(run.served) as made:  # somebody is at work when it lands
                held = log_in(made, "zhang", "drawings").open("plan.txt", READ | WRITE)
                assert held.read(0, 100)
                run.check(one)
                assert _refused(held.read, 0, 100)
                assert _refused(held.write, b"x")


def _refused(act: Callable[..., object], *words: object) -> bool:
    """Whether an act is refused, or the connection has ended."""
    try:
        act(*words)
    except (exceptions.AccessDenied, exceptions.SMBConnectionClosed):
        return True
    return False


def test_the_pages_have_the_same_commands_settings_and_sections() -> None:
    english, chinese = PAGES.values()
    assert [one.command for one in commands_of(english)] == [one.command for one in commands_of(chinese)]
    for kind in ("ini", "sh"):
        assert blocks(english, kind) == blocks(chinese, kind)
    assert _shape(english) == _shape(chinese)


def _shape(page: Path) -> Sequence[tuple[str, str]]:
    """Return the headings by their depth, and the rows of tables by what stands in backticks at their beginning."""
    found = []
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            found.append(("heading", line.partition(" ")[0]))
        elif line.startswith("| `"):
            found.append(("row", line.split("`")[1]))
    return found


@each_language
def test_what_an_exported_directory_is_answered_stands_there(language: str) -> None:
    found = refusal(replace(GOOD, path="/srv/plans", exports=(("/srv/plans", "NFS"),), requested="/srv/plans"))
    assert found is not None
    assert found.hint is not None
    page = PAGES[language].read_text(encoding="utf-8")
    for text in (found.text, found.hint):
        assert (en(text) if language == "en" else zh(text)) in page


@each_language
def test_what_the_page_installs_is_what_ci_has(language: str) -> None:
    [line] = [one for one in commands(PAGES[language]) if one.startswith("apt install ")]
    [known] = _PACKAGES.findall((ROOT / ".ci" / "run").read_text())
    assert set(line.split()[2:]) <= set(known.split())


@each_language
def test_every_setting_of_the_page_has_its_reason(language: str) -> None:
    page = PAGES[language].read_text(encoding="utf-8")
    [configuration, _unit, _another] = blocks(PAGES[language], "ini")
    rows = "".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| "))
    plainly = {"path", "read only", "server role", "log level"}  # what a share is, and how much is logged
    for setting in (line.partition(" = ")[0] for line in configuration.splitlines() if " = " in line):
        word = setting.partition(":")[0].replace("vfs objects", "streams_depot")
        word = "masks" if word.endswith(("create mask", "directory mask", "create mode", "directory mode")) else word
        assert word in rows.replace("掩码", "masks") or word in plainly, setting
