"""Reason codes of UHPPOTE / 微耕 events, as numbers and as messages.

Source: the reason codes in the documentation of uhppoted and of the boards' maker; those above 44 are not used.
"""

from rules.text import Message

SWIPE = 1  # the board opened, by its own card list
PC_CONTROL = 5  # a known card; the controlling host decides
UNKNOWN_CARD = 18
BUTTON = 20
DOOR_OPEN, DOOR_CLOSED = 23, 24
SUPERVISOR = 25
POWER_ON, RESET = 28, 29
REMOTE_OPEN = 44

_WORDS = {
    SWIPE: Message("doors.opened-by-card-list"),
    PC_CONTROL: Message("doors.left-to-agent"),
    6: Message("doors.board-denied-no-right"),
    7: Message("doors.board-denied-wrong-password"),
    8: Message("doors.board-denied-anti-passback"),
    9: Message("doors.board-denied-more-cards"),
    10: Message("doors.board-denied-first-card"),
    11: Message("doors.board-denied-door-kept-closed"),
    12: Message("doors.board-denied-interlock"),
    13: Message("doors.board-denied-outside-hours"),
    15: Message("doors.board-denied-card-not-valid"),
    UNKNOWN_CARD: Message("doors.board-denied-unknown-card"),
    BUTTON: Message("doors.exit-button"),
    DOOR_OPEN: Message("doors.door-opened"),
    DOOR_CLOSED: Message("doors.door-closed"),
    SUPERVISOR: Message("doors.opened-with-supervisor-code"),
    POWER_ON: Message("doors.board-powered-on"),
    RESET: Message("doors.board-reset"),
    33: Message("doors.board-denied-interlock"),
    34: Message("common.duress"),
    37: Message("doors.door-held-open"),
    38: Message("doors.door-forced"),
    39: Message("doors.fire-signal"),
    REMOTE_OPEN: Message("doors.opened-over-network"),
}


def text(reason: int) -> Message:
    """Return the message for a reason code; total."""
    return _WORDS.get(reason) or Message("doors.board-reason-code", reason=reason)
