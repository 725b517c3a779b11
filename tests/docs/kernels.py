"""``docs/kernels.md``: what each kernel was seen to do, from ``docs/kernels.json``, which ``make kernels`` records."""

import json
from collections.abc import Mapping
from typing import Any

from agent.volumes import probe
from rules.tiers import Use
from tests import ROOT
from tests.docs.markdown import table
from tests.long.kernel_packages import FIRST, SUITES
from tests.sentences import en

RECORD = ROOT / "docs" / "kernels.json"

_SHIPS = {
    FIRST: "Debian 11 as released; the same fanotify as in openEuler 22.03",
    "5.10": "Debian 11 (bullseye), with the fanotify of later kernels since 5.10.220",
    "6.1": "Debian 12 (bookworm)",
    "6.12": "Debian 13 (trixie), RHEL 10",
    "6.18": "Debian 13 by trixie-backports",
}
_USES = {Use.READ: "a read", Use.WRITE: "a write", Use.MAP: "a mapping"}
_INTRO = """\
Booted by `make kernels` from Debian's own packages, in QEMU without KVM, over a checked-out tree: a real agent, real
people and a volume of its own in each. What a kernel does is tried there and never read off its version, as the agent
does itself on every volume ([limits.md](limits.md#tiers) has the tiers). `.ci/run` boots one of them for each commit.
"""
_CUT = """\
A person's level is lowered while they hold a file; **refused**: the kernel refuses the next use; **ended**: the process
is ended, with its entry in the log. A hold and a departure end every process that holds a file, on every kernel.
"""
_PYTHON = """\
The agent needs Python 3.11 or later, which not every distribution with a fitting kernel has of its own:
"""
_DISTRIBUTIONS = (
    ("Debian 13, RHEL 10", "6.12", "3.13, 3.12", "the distribution's own"),
    ("Debian 12", "6.1", "3.11", "the distribution's own"),
    ("Ubuntu 24.04", "6.8", "3.12", "the distribution's own"),
    ("openEuler 24.03", "6.6", "3.11", "the distribution's own"),
    ("RHEL 9 and rebuilds", "5.14", "3.9", "package `python3.11`, beside it"),
    ("Debian 11", "5.10", "3.9", "a newer Python has to be put beside it"),
    ("openEuler 22.03", "5.10", "3.9", "a newer Python has to be put beside it"),
    (
        "Kylin V10",
        "4.19",
        "3.7",
        "not supported: marks that name the thread need Linux 4.20, and 5.10 is the oldest that is tried",
    ),
)


def page(made: str) -> str:
    """Return the page; *made* is the line that says where it comes from."""
    record: Mapping[str, Mapping[str, Any]] = json.loads(RECORD.read_text(encoding="utf-8"))
    found = [(name, record[name]) for name in SUITES]
    flags = list(found[0][1]["flags"])
    parts = [
        f"# Kernels 内核\n\n{made}\n\n{_INTRO}",
        table(
            ("kernel", "who ships it", "tier of a volume of its own (ext4)", "checks", "seen"),
            [(str(one["kernel"]), _SHIPS[name], one["tier"], _checks(one), f"{one['seen']}, {one['commit']}")
             for name, one in found],
        ),
        f"## What is cut how\n\n{_CUT}",
        table(
            ("use of what is held", *(one["kernel"] for _, one in found)),
            [(_USES[use], *(one["cuts"].get(use, "–") for _, one in found)) for use in Use]
            + [(en(probe.USEFUL[item]), *(_yes(one["works"]["ext4"][item]) for _, one in found)) for item in _LISTED],
        ),
        "## What the kernel offers\n\nEach flag is tried and done without.\n",
        table(
            ("flag or call", *(one["kernel"] for _, one in found)),
            [(f"`{flag}`", *(_yes(one["flags"][flag]) for _, one in found)) for flag in flags],
        ),
        f"## Python\n\n{_PYTHON}",
        table(("distribution", "kernel", "its Python", "what to use"), _DISTRIBUTIONS),
    ]  # fmt: skip
    return "\n".join(parts)


_LISTED = ("list", "older")


def _checks(one: Mapping[str, Any]) -> str:
    checks: Mapping[str, str] = one["checks"]
    return f"{list(checks.values()).count('ok')} of {len(checks)}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def wrong(record: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what in *record* is no result to be proud of: a series that was not run, a check that did not hold."""
    found = [f"{name}: not run" for name in SUITES if name not in record]
    for name, one in record.items():
        found += [f"{name}: unknown series"] if name not in SUITES else []
        found += [f"{name}: {check} {word}" for check, word in one["checks"].items() if word != "ok"]
    return found
