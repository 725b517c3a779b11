"""Is this read one to decide about: new, of now, over a wire that proves something, and not one of too many?

Rules of this file: what is remembered of reads is bounded and is not kept over a restart. A read that is stale or came
in clear never unlocks, whichever way it points: it may be anybody's, from any time. Otherwise a read on the way out is
dropped only as a repetition of one that has just been answered with the strike.
"""

from msgspec.structs import replace

from agent.doors.messages import Read
from agent.rooms.panel import releases
from agent.rooms.panel.alarms import over
from agent.rooms.panel.config import DoorConfig
from agent.rooms.panel.effects import AlarmKind
from agent.rooms.panel.interface import BadgeHolder
from agent.rooms.panel.state import MOST_RECENT, Burst, Recent
from agent.rooms.panel.step import SLACK, PanelStep
from rules.text import Text
from rules.visible import visible


def repeated(turn: PanelStep, door: DoorConfig, read: Read) -> bool:
    """Whether this is a read that was dealt with already: the same card in one moment, or the same event of a board."""
    of_card = [one for one in turn.state.fleeting.recent if one.card == read.card]
    same = [one for one in of_card if (one.door, one.side) == (read.door, read.side)]
    # A card that was shown elsewhere meanwhile has moved: whoever leaves and turns round at once is no repetition.
    again = bool(same) and of_card[-1] == same[-1] and _just_now(turn, same[-1])
    if read.side == "out":  # only while the strike it was answered with lasts
        return again and bool(releases.waits_at(turn, door, "out"))
    return again or any(one.index is not None and one.index == read.index for one in same)


def remember(turn: PanelStep, read: Read) -> None:
    """Remember a read that is dealt with."""
    kept = [
        one for one in turn.state.fleeting.recent if (one.door, one.side, one.card) != (read.door, read.side, read.card)
    ]
    recent = Recent(read.door, read.side, read.card, turn.now, read.index)
    turn.set_fleeting(recent=(*kept[-(MOST_RECENT - 1) :], recent))


def too_many(turn: PanelStep, read: Read) -> bool:
    """Whether the reader on the way in is flooded, so that this read is only counted."""
    bursts = turn.state.fleeting.bursts
    found = next((one for one in bursts if one.door == read.door), Burst(read.door, turn.now))
    dropped = found.reads >= turn.config.flood_reads
    found = replace(found, reads=found.reads + 1, dropped=found.dropped + dropped)
    turn.set_fleeting(bursts=(*(one for one in bursts if one.door != read.door), found))
    if dropped:
        shown = visible(read.door)
        text = Text(f"too many reads at `{shown}`: some are dropped", f"`{shown}` 刷卡过多：部分已丢弃")
        turn.alarm(AlarmKind.FLOOD, text, door=read.door)
    return dropped


def expire(turn: PanelStep) -> None:
    """End the times that are over and say how many reads each has cost; a flood ends with one that has cost none."""
    for one in turn.state.fleeting.bursts:
        if turn.now < one.since + turn.config.flood_seconds:
            continue
        others = tuple(other for other in turn.state.fleeting.bursts if other.door != one.door)
        if one.dropped:
            turn.set_fleeting(bursts=(*others, Burst(one.door, turn.now)))
            shown = visible(one.door)
            text = Text(f"`{one.dropped}` reads at `{shown}` were dropped", f"`{shown}` 丢弃刷卡 `{one.dropped}` 次")
            turn.note("flood", text, door=one.door)
        else:
            turn.set_fleeting(bursts=others)
            over(turn, AlarmKind.FLOOD, door=one.door)


def doubt(turn: PanelStep, read: Read, holder: BadgeHolder | None) -> str:
    """Return why *read* cannot be trusted, in the words of ``Request.doubt``; ``""`` if it can."""
    if not read.secure:
        return "insecure"
    if turn.back:
        return "clock"
    if read.stale or not turn.now - turn.config.fresh_seconds <= read.at <= turn.now + SLACK:
        return "stale"
    return "copied" if holder is not None and _is_copy(read, holder) else ""


def doubted(turn: PanelStep, read: Read, why: str) -> None:
    """Tell the officers what may be an attack; a stale read and a clock that went back are recorded like any other."""
    shown = visible(read.door)
    if why == "insecure":
        text = Text(f"`{shown}` read a badge in clear", f"`{shown}` 的读卡数据未加密")
        turn.alarm(AlarmKind.UNTRUSTED, text, door=read.door)
    elif why == "copied":
        text = Text(f"a copy of badge `{read.card}` was shown at `{shown}`", f"`{shown}` 出现 `{read.card}` 的复制卡")
        turn.alarm(AlarmKind.COPIED, text, door=read.door)


def _just_now(turn: PanelStep, one: Recent) -> bool:
    return turn.now < one.at + turn.config.debounce_seconds


def _is_copy(read: Read, holder: BadgeHolder) -> bool:
    other_site = holder.facility is not None and read.facility != holder.facility
    return other_site or (holder.bits is not None and read.bits != holder.bits)
