"""Probing the kernel's abilities on one volume: by trying, not by version (contract C5).

A separate process makes the attempts (``probe_process``), because a program that asks the kernel to wait for it can
wait for itself. That process always ends by alarm(2) after a few seconds, and with it every mark that it placed. Rules
of this file: it starts that process, reads its report and cleans up; the tier is a pure function of the report. A
missing answer counts as "does not work".

Not for a volume that is already protected: the verdicts of the guard would be mistaken for those of the kernel.
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
from rules.text import Message, Sentence
from rules.tiers import Tier
from rules.visible import visible

SECONDS = 30  # the probe takes about one; a slow machine under load may need more

NEEDED = {
    "label": Message("volumes.labels-supported"),
    "open": Message("volumes.denials-work"),
    "thread": Message("volumes.thread-identified"),
    "namespaces": Message("volumes.namespaces-visible"),
}
CUTTING = {
    "pre-access": Message("volumes.descriptor-use-checkable"),
    "read": Message("volumes.reads-refusable"),
    "write": Message("volumes.writes-refusable"),
    "map": Message("volumes.mappings-refusable"),
    "truncate": Message("volumes.truncation-refusable"),
    "quiet": Message("volumes.allowed-descriptors-cost-nothing"),
    "flush": Message("volumes.descriptors-flushable"),
}
READING = {
    "access": Message("volumes.reads-checkable"),
    "access-read": Message("volumes.only-reads-refusable"),
    "access-quiet": Message("volumes.allowed-reads-cost-nothing"),
    "access-flush": Message("volumes.reads-flushable"),
}
USEFUL = {
    "list": Message("volumes.listing-refusable"),
    "older": Message("volumes.older-descriptors-checked"),
    "pidfd-info": Message("volumes.pidfd-info-available"),
}


_ALL = NEEDED | CUTTING | READING | USEFUL


@dataclass(frozen=True, slots=True)
class ProbeItem:
    """One probed ability. ``reason``: an ``errno`` name or a word (``no-event``, ``not-refused`` …), "" if it works."""

    name: str
    works: bool
    reason: str = ""

    @property
    def text(self) -> Sentence:
        """The ability as a sentence."""
        return _ALL[self.name]


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """The abilities of the volume of ``path``: an item for each of NEEDED, CUTTING, READING and USEFUL, in order."""

    path: str
    items: tuple[ProbeItem, ...]

    def works(self, name: str) -> bool:
        """Return whether the named ability was probed and works."""
        return any(probed.name == name and probed.works for probed in self.items)

    def missing(self, names: dict[str, Sentence]) -> tuple[ProbeItem, ...]:
        """Return the items of *names* that do not work."""
        return tuple(probed for probed in self.items if probed.name in names and not probed.works)


def tier_of(report: ProbeReport, sharing: Sharing) -> Tier:
    """Return the tier of a volume (:mod:`rules.tiers`); abilities that were not seen to work do not count."""
    alone = sharing == "dedicated"
    if not all(report.works(name) for name in NEEDED):
        return "none"
    if all(report.works(name) for name in CUTTING):
        return "A" if alone else "B"
    if all(report.works(name) for name in READING):
        return "A-read" if alone else "B-read"
    return "C"


def probe(path: str, seconds: int = SECONDS) -> ProbeReport:
    """Probe every ability in the directory *path*, for at most *seconds*. Never raises for a failed attempt.

    Creates a directory in *path* and removes it. For a moment every open on the filesystem passes through the probe,
    which allows all opens of other files.
    """
    folder = f".shoumi-probe-{secrets.token_hex(8)}"
    command = python("agent.volumes.probe_process", path, folder, str(seconds))
    try:
        patience = seconds * 2 + 2  # for the start, then until its own alarm
        completed = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=patience, check=False
        )
        output = completed.stdout
        silent = visible(completed.stderr.splitlines()[-1]) if completed.stderr else f"exit-{completed.returncode}"
    except subprocess.TimeoutExpired as error:
        output, silent = error.stdout or b"", "timeout"
    finally:
        _remove(path, folder)
    return parse(path, output, silent)


def parse(path: str, output: bytes, silent: str) -> ProbeReport:
    """Return the report from *output*, lines of ``[name, works, why]``; missing ones get *silent* as reason."""
    reported = {}
    for line in output.splitlines():
        with suppress(ValueError, TypeError, RecursionError):
            name, works, reason = json.loads(line)
            reported[name] = ProbeItem(str(name), works is True, str(reason))
    return ProbeReport(path, tuple(reported.get(name, ProbeItem(name, False, silent)) for name in _ALL))


def _remove(path: str, folder: str) -> None:
    with suppress(OSError):
        descriptor = mounting.reach(path)
        try:
            shutil.rmtree(folder, dir_fd=descriptor, ignore_errors=True)
        finally:
            os.close(descriptor)
