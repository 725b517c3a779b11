"""Checks of ``doctor`` on sightings of canaries. Rules of this file: an unseen guard is never reported as good."""

from collections.abc import Iterator

from agent.api.findings import Finding
from agent.api.timestamps import local
from agent.presentation.seen import Seen, sentence, tone
from rules.text import Message
from rules.visible import visible

_HINT = Message("doctor.see-canary-entries")


def guard(name: str, sighting: Seen) -> Iterator[Finding]:
    """Yield when the guard of area *name* was last seen. A missing guard is already a finding of the area."""
    if sighting["state"] == "missing":
        return
    shown_name, sighting_text = visible(name), sentence(sighting, local)
    text = Message("common.named", name=shown_name, text=sighting_text)
    state = tone(sighting)
    if state == "good":
        yield Finding("good", "seen", text)
    else:
        yield Finding("warning" if state == "warning" else "serious", "not-seen", text, _HINT)
