"""Checks of the channel from the personnel system: that it can be used, was heard, and nothing of it waits unseen.

Rules of this file: pure. A site without a channel is told nothing of it. An alarm about it stands until somebody has
said what it was.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from agent.api.findings import Finding
from agent.offboard.intake.channel import Channel, silent_text
from rules.text import Text
from rules.visible import visible

_RESTORE = Text("docs/hr-integration.md shows how to pin them", "固定密钥的方法见 docs/hr-integration.md")
_ALARMS = "hr-"
_LIVE = frozenset(("hr-keys", "hr-silence"))  # found here as they are now


def channel(found: Channel, alarms: Iterable[Mapping[str, Any]], now: datetime) -> Iterator[Finding]:
    """Return what is to be said of the channel. *alarms*: those nobody has acknowledged, as the registry lists them."""
    if not found.set_up:
        return
    if found.trouble:
        text = Text(
            f"no notice of the personnel system can be taken up: {found.trouble.en}",
            f"无法接收人事系统的通知：{found.trouble.zh}",
        )
        yield Finding("serious", "hr-keys", text, found.hint or _RESTORE)
    if found.heard.silent:
        hint = Text("see whether it still sends, and whether it can write", "请检查人事系统是否仍在发送、能否写入")
        yield Finding("serious", "hr-silence", silent_text(found.heard, now), hint)
    if found.aside:
        text = Text(
            f"{found.aside} notices of the personnel system wait in quarantine",
            f"隔离区中有 {found.aside} 份人事通知待处理",
        )
        yield Finding("serious", "hr-quarantine", text, Text("shoumi case quarantine", "shoumi case quarantine"))
    for row in alarms:
        kind = str(row["kind"])
        if kind.startswith(_ALARMS) and kind not in _LIVE:
            ack = f"shoumi alarm ack {visible(str(row['id']))} --note …"
            yield Finding("warning", kind, Text(str(row["text_en"]), str(row["text_zh"])), Text(ack, ack))
    if not (found.trouble or found.heard.silent):
        yield Finding("good", "hr", _heard(found))


def _heard(found: Channel) -> Text:
    if found.heard.at is None:
        return Text("the channel from the personnel system is open; nothing came yet", "人事通道已开通；尚未收到令牌")
    at = found.heard.at.isoformat(timespec="seconds")
    return Text(f"the personnel system was last heard at {at}", f"最近一次收到人事系统的令牌：{at}")
