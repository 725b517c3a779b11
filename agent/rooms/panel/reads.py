"""Read filter: only new, current reads over an authenticated line, and not beyond the rate limit, are decided.

Rules of this file: the memory of reads is bounded and does not outlive a restart. A stale or unencrypted read never
unlocks, in either direction: it may be of any badge and any time. Otherwise an exit read is dropped only as a
repetition of one that was just answered with the strike.
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
from rules.text import Message


def repeated(turn: PanelStep, door: DoorConfig, read: Read) -> bool:
    """Return whether the read was processed already: the same card within a moment, or the same event of a board."""
    reads_of_card = [earlier for earlier in turn.state.fleeting.recent if earlier.card == read.card]
    same = [earlier for earlier in reads_of_card if (earlier.door, earlier.side) == (read.door, read.side)]
    # A card shown elsewhere meanwhile has moved: a person who leaves and returns at once is no repetition.
    is_repeated = bool(same) and reads_of_card[-1] == same[-1] and _just_now(turn, same[-1])
    if read.side == "out":  # only while the strike it was answered with lasts
        return is_repeated and bool(releases.waits_at(turn, door, "out"))
    return is_repeated or any(earlier.index is not None and earlier.index == read.index for earlier in same)


def remember(turn: PanelStep, read: Read) -> None:
    """Remember a processed read."""
    remaining = [
        earlier
        for earlier in turn.state.fleeting.recent
        if (earlier.door, earlier.side, earlier.card) != (read.door, read.side, read.card)
    ]
    recent = Recent(read.door, read.side, read.card, turn.now, read.index)
    turn.set_fleeting(recent=(*remaining[-(MOST_RECENT - 1) :], recent))


def too_many(turn: PanelStep, read: Read) -> bool:
    """Return whether the entry reader is flooded, so that this read is only counted."""
    bursts = turn.state.fleeting.bursts
    burst = next((entry for entry in bursts if entry.door == read.door), Burst(read.door, turn.now))
    dropped = burst.reads >= turn.config.flood_reads
    burst = replace(burst, reads=burst.reads + 1, dropped=burst.dropped + dropped)
    turn.set_fleeting(bursts=(*(entry for entry in bursts if entry.door != read.door), burst))
    if dropped:
        door_name = read.door
        text = Message("rooms.read-flood", door=door_name)
        turn.alarm(AlarmKind.FLOOD, text, door=read.door)
    return dropped


def expire(turn: PanelStep) -> None:
    """End expired periods and note their dropped reads; a flood ends with a period without dropped reads."""
    for burst in turn.state.fleeting.bursts:
        if turn.now < burst.since + turn.config.flood_seconds:
            continue
        other_bursts = tuple(entry for entry in turn.state.fleeting.bursts if entry.door != burst.door)
        if burst.dropped:
            turn.set_fleeting(bursts=(*other_bursts, Burst(burst.door, turn.now)))
            door_name = burst.door
            text = Message("rooms.reads-dropped", count=burst.dropped, door=door_name)
            turn.note("flood", text, door=burst.door)
        else:
            turn.set_fleeting(bursts=other_bursts)
            over(turn, AlarmKind.FLOOD, door=burst.door)


def doubt(turn: PanelStep, read: Read, holder: BadgeHolder | None) -> str:
    """Return the reason not to trust *read*, as a value of ``Request.doubt``; ``""`` if it is trusted."""
    if not read.secure:
        return "insecure"
    if turn.back:
        return "clock"
    if read.stale or not turn.now - turn.config.fresh_seconds <= read.at <= turn.now + SLACK:
        return "stale"
    return "copied" if holder is not None and _is_copy(read, holder) else ""


def doubted(turn: PanelStep, read: Read, doubt_kind: str) -> None:
    """Raise the alarm for a possible attack; a stale read and a clock that went back are only recorded."""
    door_name = read.door
    if doubt_kind == "insecure":
        text = Message("rooms.read-unencrypted", door=door_name)
        turn.alarm(AlarmKind.UNTRUSTED, text, door=read.door)
    elif doubt_kind == "copied":
        text = Message("rooms.badge-copied", card=read.card, door=door_name)
        turn.alarm(AlarmKind.COPIED, text, door=read.door)


def _just_now(turn: PanelStep, earlier: Recent) -> bool:
    return turn.now < earlier.at + turn.config.debounce_seconds


def _is_copy(read: Read, holder: BadgeHolder) -> bool:
    other_site = holder.facility is not None and read.facility != holder.facility
    return other_site or (holder.bits is not None and read.bits != holder.bits)
