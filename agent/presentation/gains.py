"""What an act would give, in sentences: who could open what from then on.

Rules of this file: pure. The numbers and names are the agent's (``would`` and ``now`` of a proposal); what could not be
compared is said and never counts as nothing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rules.text import Text
from rules.visible import visible


def sentences(would: Mapping[str, Any]) -> Iterator[Text]:
    """Yield one sentence for each thing the act gives; at least one."""
    told = False
    for line in (*_people(would), *_places(would), *_outside(would), *_unknown(would)):
        told = True
        yield line
    if not told and would["always"]:
        yield Text(
            "it always waits for a second officer: what it changes is not a right to a place, read what it does",
            "此类操作一律须第二人确认：其后果不是某处的访问权，请按操作内容判断",
        )
    elif not told:
        yield Text("nobody gains a right by it today", "今日无人因此获得权限")


def _people(would: Mapping[str, Any]) -> Iterator[Text]:
    for gain in would["first"]:
        person, where = visible(gain["person"]), _names((*gain["areas"], *gain["rooms"]))
        accounts = ", ".join(map(str, gain["uids"]))
        by = (f" as uid {accounts}", f"（uid {accounts}）") if accounts else ("", "")
        yield Text(f"`{person}` may use {where}{by[0]}", f"`{person}` 可使用 {where}{by[1]}")
    if (more := int(would["people"]) - len(would["first"])) > 0:
        yield Text(f"and {more} more people", f"另有 {more} 人")
    for service, areas in would["services"].items():
        yield Text(
            f"service `{visible(service)}` may touch {_names(areas)}",
            f"服务账户 `{visible(service)}` 可访问 {_names(areas)}",
        )
    if more := int(would.get("services_more", 0)):
        yield Text(f"and {more} more services", f"另有 {more} 个服务账户")


def _places(would: Mapping[str, Any]) -> Iterator[Text]:
    if would["opened"]:
        named = _first(would, "opened")
        yield Text(f"nobody is refused any more in {named.en}", f"{named.zh} 不再拒绝任何人")
    if would["loosened"]:
        named = _first(would, "loosened")
        yield Text(f"less is asked of {named.en}", f"对 {named.zh} 的要求放宽")


def _outside(would: Mapping[str, Any]) -> Iterator[Text]:
    for name, value in would["outside"].items():
        if value not in (None, ""):
            said = visible(str(value))
            yield Text(
                f"`{visible(name)}` is `{said}`, and nothing else is confirmed",
                f"`{visible(name)}` 为 `{said}`，仅确认此项",
            )


def _unknown(would: Mapping[str, Any]) -> Iterator[Text]:
    if count := would["not_compared"]:
        yield Text(f"{count} more rights were not compared", f"另有 {count} 项权限未比较")
    if why := would["unknown"]:
        yield Text(f"who gains something is not known: {why['en']}", f"无法得知谁将获得权限：{why['zh']}")


def _first(would: Mapping[str, Any], what: str) -> Text:
    named, more = _names(would[what]), int(would.get(f"{what}_more", 0))
    return (
        Text(f"{named} and {more} more", f"{named} 等共 {len(would[what]) + more} 个") if more else Text(named, named)
    )


def _names(places: Sequence[str]) -> str:
    return ", ".join(f"`{visible(place)}`" for place in places)
