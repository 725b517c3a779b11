"""Rights that an act would give, in sentences: the people who could use an area or room from then on.

Rules of this file: pure. The numbers and names are the agent's (``would`` and ``now`` of a proposal). Rights that could
not be compared are reported as such and never count as none.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.presentation.fields import field_content, field_label, quoted
from rules.text import Message, Sentence, from_json


def sentences(would: Mapping[str, Any]) -> Iterator[Sentence]:
    """Yield one sentence for each right that the act gives; at least one sentence."""
    any_gain = False
    for line in (*_people(would), *_places(would), *_outside(would), *_unknown(would)):
        any_gain = True
        yield line
    if not any_gain and would["always"]:
        yield Message("presentation.gain-always-waits")
    elif not any_gain:
        yield Message("presentation.gain-none")


def _people(would: Mapping[str, Any]) -> Iterator[Sentence]:
    for gain in would["first"]:
        person, places = str(gain["person"]), _names((*gain["areas"], *gain["rooms"]))
        if uids := list(gain["uids"]):
            yield Message("presentation.gain-person-as", person=person, places=places, uids=uids)
        else:
            yield Message("presentation.gain-person", person=person, places=places)
    if (more := int(would["people"]) - len(would["first"])) > 0:
        yield Message("presentation.people-more", count=more)
    for service, areas in would["services"].items():
        yield Message("presentation.gain-service", service=service, areas=_names(areas))
    if more := int(would.get("services_more", 0)):
        yield Message("presentation.services-more", count=more)


def _places(would: Mapping[str, Any]) -> Iterator[Sentence]:
    if would["opened"]:
        yield Message("presentation.gain-opened", places=_first(would, "opened"))
    if would["loosened"]:
        yield Message("presentation.gain-loosened", places=_first(would, "loosened"))


def _outside(would: Mapping[str, Any]) -> Iterator[Sentence]:
    for name, setting in would["outside"].items():
        if setting not in (None, ""):
            content = field_content(name, setting)
            yield Message("presentation.gain-outside", name=field_label(name), content=content)


def _unknown(would: Mapping[str, Any]) -> Iterator[Sentence]:
    if count := would["not_compared"]:
        yield Message("presentation.rights-not-compared", count=count)
    if reason := would["unknown"]:
        yield Message("presentation.gain-unknown", reason=from_json(reason))


def _first(would: Mapping[str, Any], key: str) -> Sentence:
    places, more = _names(would[key]), int(would.get(f"{key}_more", 0))
    if more:
        return Message("presentation.places-and-more", places=places, more=more)
    return Message("common.list", parts=places)


def _names(places: Sequence[str]) -> list[Message]:
    return [quoted(place) for place in places]
