"""Sightings of an area's guard, in words: for lists, pages and the first screen.

Rules of this file: pure. A sighting is reported with its time, and an unknown state with the time since when it is
unknown. *clock* writes an instant the way its reader has it.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from rules.text import Message, Sentence, foreign, from_json, labelled

Seen = Mapping[str, Any]
Clock = Callable[[str], str]

ATTEMPTS: Final = {
    "read": Message("presentation.open-and-read-refused"),
    "open": Message("presentation.open-refused"),
    "list": Message("presentation.listing-refused"),
    "record": Message("presentation.open-recorded"),
}
NOT_YET: Final = Message("presentation.not-seen-yet")


def tone(sighting: Seen) -> Literal["good", "warning", "bad"]:
    """Return the tone in which *sighting* is shown."""
    return {"seen": "good", "asking": "warning"}.get(str(sighting["state"]), "bad")  # type: ignore[return-value]


def short(sighting: Seen, clock: Clock) -> Sentence:
    """Return *sighting* as a cell of a list."""
    match sighting["state"]:
        case "seen":
            return foreign(clock(sighting["at"]))
        case "asking":
            return NOT_YET
        case "missing":
            return Message("presentation.not-seen")
    return Message("presentation.unknown-since", since=clock(sighting["since"]))


def sentence(sighting: Seen, clock: Clock) -> Sentence:
    """Return *sighting* as a sentence, with the reason where there is one."""
    match sighting["state"]:
        case "seen":
            at, attempt = clock(sighting["at"]), ATTEMPTS.get(str(sighting["what"]), NOT_YET)
            return Message("presentation.guard-last-seen", at=at, attempt=attempt)
        case "asking":
            state = Message("presentation.guard-not-seen-yet")
        case "missing":
            state = Message("presentation.guard-not-seen")
        case _:
            state = Message("presentation.guard-unknown-since", since=clock(sighting["since"]))
    return labelled(state, from_json(sighting["why"])) if sighting.get("why") else state
