"""Checks of ``doctor`` on what canaries have seen. Rules of this file: what was not seen is never called good."""

from collections.abc import Iterator

from agent.api.findings import Finding
from agent.api.timestamps import local
from agent.presentation.seen import Seen, sentence, tone
from rules.text import Text
from rules.visible import visible

_HINT = Text("see `shoumi log list --kind canary`", "参见 `shoumi log list --kind canary`")


def guard(name: str, seen: Seen) -> Iterator[Finding]:
    """Say when the guard of area *name* was last seen. One that is missing is a finding of the area already."""
    if seen["state"] == "missing":
        return
    said, shown = visible(name), sentence(seen, local)
    text = Text(f"`{said}`: {shown.en}", f"`{said}`：{shown.zh}")
    state = tone(seen)
    if state == "good":
        yield Finding("good", "seen", text)
    else:
        yield Finding("warning" if state == "warning" else "serious", "not-seen", text, _HINT)
