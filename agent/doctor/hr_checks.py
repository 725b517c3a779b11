"""Checks of the channel from the personnel system: that it works, is not silent, and no notice waits unnoticed.

Rules of this file: pure. A site without a channel gets no findings about it. An alarm about it stays until an officer
has acknowledged it.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from agent.api.findings import Finding
from agent.offboard.intake.channel import Channel, silent_text
from rules.text import Message, Sentence, Text
from rules.visible import visible

_RESTORE = Message("common.see-hr-integration")
_ALARMS = "hr-"
_LIVE = frozenset(("hr-keys", "hr-silence"))  # checked here in their current state


def channel(hr_channel: Channel, alarms: Iterable[Mapping[str, Any]], now: datetime) -> Iterator[Finding]:
    """Yield the findings about the channel. *alarms*: the unacknowledged alarms, as the registry lists them."""
    if not hr_channel.set_up:
        return
    if hr_channel.trouble:
        text = Message("doctor.hr-notices-not-accepted", trouble=hr_channel.trouble)
        yield Finding("serious", "hr-keys", text, hr_channel.hint or _RESTORE)
    if hr_channel.heard.silent:
        hint = Message("doctor.check-hr-sender")
        yield Finding("serious", "hr-silence", silent_text(hr_channel.heard, now), hint)
    if hr_channel.aside:
        text = Message("doctor.hr-quarantine", count=hr_channel.aside)
        yield Finding("serious", "hr-quarantine", text, Message("doctor.shoumi-case-quarantine"))
    for row in alarms:
        kind = str(row["kind"])
        if kind.startswith(_ALARMS) and kind not in _LIVE:
            hint = Message("doctor.acknowledge-alarm", alarm=visible(str(row["id"])))
            yield Finding("warning", kind, Text(str(row["text_en"]), str(row["text_zh"])), hint)
    if not (hr_channel.trouble or hr_channel.heard.silent):
        yield Finding("good", "hr", _heard(hr_channel))


def _heard(hr_channel: Channel) -> Sentence:
    if hr_channel.heard.at is None:
        return Message("doctor.hr-channel-open")
    at = hr_channel.heard.at.isoformat(timespec="seconds")
    return Message("doctor.hr-last-heard", at=at)
