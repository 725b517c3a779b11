"""What the kernel really does on one volume: probed by trying, not read off a version (contract C5).

The trying is done by a process of its own (``probing``), because a program that asks the kernel to wait for it can end
up waiting for itself. That process dies by alarm(2) after a few seconds whatever happens, and with it every mark it
placed. Rules of this file: it starts that process, reads its report and cleans up; the tier is a pure function of the
report. An answer that is missing counts as "does not work".

Not for a volume that is already protected: the guard's own verdicts would be mistaken for the kernel's.
"""

import json
import os
import secrets
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass

from agent.kernel import mounting
from agent.runtime.supervisor import python
from agent.volumes.planning import Sharing
from rules.text import Text
from rules.tiers import Tier
from rules.visible import visible

SECONDS = 30  # the probe takes about one; a slow machine under load may need more

NEEDED = {
    "label": Text("files carry a label only the system may change", "文件可携带仅系统可改的标记"),
    "open": Text("an open waits for a verdict and a denial reaches the opener", "打开操作等待判定，拒绝能到达打开者"),
    "thread": Text("the very thread that opens is named", "可确认发起打开的具体线程"),
    "namespaces": Text("opens from other mount and user namespaces are seen", "可发现来自其他挂载及用户命名空间的打开"),
}
CUTTING = {
    "pre-access": Text("use of open descriptors can be asked about", "可对已打开描述符的使用作判定"),
    "read": Text("a read through an open descriptor can be refused", "可拒绝经已打开描述符的读取"),
    "write": Text("a write through an open descriptor can be refused", "可拒绝经已打开描述符的写入"),
    "map": Text("a new mapping of an open descriptor can be refused", "可拒绝对已打开描述符新建映射"),
    "truncate": Text("a truncation through an open descriptor can be refused", "可拒绝经已打开描述符的截断"),
    "quiet": Text("open descriptors cost nothing while nobody is cut off", "无人被停权时，已打开描述符没有额外开销"),
    "flush": Text("one call cuts every open descriptor at once", "一次调用即可切断所有已打开的描述符"),
}
READING = {
    "access": Text("a read through an open descriptor can be asked about", "可对经已打开描述符的读取作判定"),
    "access-read": Text("a read through an open descriptor can be refused, and nothing else", "仅可拒绝经描述符的读取"),
    "access-quiet": Text("such reads cost nothing while nobody is cut off", "无人被停权时，此类读取没有额外开销"),
    "access-flush": Text("one call has every such read asked about", "一次调用即可对所有此类读取重新判定"),
}
USEFUL = {
    "list": Text("reading names through an open directory can be refused", "可拒绝经已打开目录读取名称"),
    "older": Text("descriptors older than the protection are asked about, too", "保护生效前打开的描述符同样受判定"),
    "pidfd-info": Text("the identity of a thread is read in one call", "一次调用即可读取线程身份"),
}


_ALL = NEEDED | CUTTING | READING | USEFUL


@dataclass(frozen=True, slots=True)
class ProbeItem:
    """One thing tried. ``why`` is an ``errno`` name or a word (``no-event``, ``not-refused`` …), empty if it works."""

    name: str
    works: bool
    why: str = ""

    @property
    def text(self) -> Text:
        """What was tried, for people."""
        return _ALL[self.name]


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What works on the volume of ``path``: one item for each name of NEEDED, CUTTING, READING and USEFUL, in order."""

    path: str
    items: tuple[ProbeItem, ...]

    def works(self, name: str) -> bool:
        """Whether the named thing was tried and works."""
        return any(item.name == name and item.works for item in self.items)

    def missing(self, names: dict[str, Text]) -> tuple[ProbeItem, ...]:
        """Return the items of *names* that do not work."""
        return tuple(item for item in self.items if item.name in names and not item.works)


def tier_of(report: ProbeReport, sharing: Sharing) -> Tier:
    """Return the tier a volume really has (:mod:`rules.tiers`); what was not seen to work does not count."""
    alone = sharing == "dedicated"
    if not all(report.works(name) for name in NEEDED):
        return "none"
    if all(report.works(name) for name in CUTTING):
        return "A" if alone else "B"
    if all(report.works(name) for name in READING):
        return "A-read" if alone else "B-read"
    return "C"


def probe(path: str, seconds: int = SECONDS) -> ProbeReport:
    """Try everything in the directory *path*, for at most *seconds*, and return what works. Never raises for a finding.

    Makes a folder in *path* and removes it. For a moment every open on the filesystem passes through the probe, which
    allows what is not its own.
    """
    folder = f".shoumi-probe-{secrets.token_hex(8)}"
    command = python("agent.volumes.probe_process", path, folder, str(seconds))
    try:
        patience = seconds * 2 + 2  # to start, then until its own alarm
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=patience, check=False)
        said = done.stdout
        silent = visible(done.stderr.splitlines()[-1]) if done.stderr else f"exit-{done.returncode}"
    except subprocess.TimeoutExpired as error:
        said, silent = error.stdout or b"", "timeout"
    finally:
        _remove(path, folder)
    return parse(path, said, silent)


def parse(path: str, said: bytes, silent: str) -> ProbeReport:
    """Read what the probing process wrote, lines of ``[name, works, why]``; what it did not say has *silent* as why."""
    heard = {}
    for line in said.splitlines():
        with suppress(ValueError, TypeError, RecursionError):
            name, works, why = json.loads(line)
            heard[name] = ProbeItem(str(name), works is True, str(why))
    return ProbeReport(path, tuple(heard.get(name, ProbeItem(name, False, silent)) for name in _ALL))


def _remove(path: str, folder: str) -> None:
    with suppress(OSError):
        descriptor = mounting.reach(path)
        try:
            shutil.rmtree(folder, dir_fd=descriptor, ignore_errors=True)
        finally:
            os.close(descriptor)
