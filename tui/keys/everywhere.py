"""Actions of every screen."""

from rules.text import Message
from tui.keys.shape import KeyAction

ACTIONS = (
    KeyAction(
        "everywhere.help",
        "question_mark,f1",
        Message("keys.help"),
        Message("keys.everywhere-keys-help"),
    ),
    KeyAction(
        "everywhere.jump",
        "colon,ctrl+p",
        Message("keys.palette"),
        Message("keys.everywhere-palette-help"),
    ),
    KeyAction(
        "everywhere.back",
        "escape",
        Message("keys.back"),
        Message("keys.everywhere-back-help"),
    ),
    KeyAction(
        "everywhere.refresh",
        "f5,ctrl+r",
        Message("keys.refresh"),
        Message("keys.everywhere-refresh-help"),
        footer=False,
    ),
    KeyAction(
        "everywhere.language",
        "f2",
        Message("keys.other-language"),
        Message("keys.everywhere-language-help"),
        footer=False,
    ),
    KeyAction(
        "everywhere.colours",
        "f3",
        Message("keys.colours"),
        Message("keys.everywhere-colours-help"),
        footer=False,
    ),
    KeyAction(
        "everywhere.running",
        "f4",
        Message("keys.running-jobs"),
        Message("keys.everywhere-running-help"),
        footer=False,
    ),
    KeyAction(
        "everywhere.quit",
        "ctrl+q",
        Message("keys.quit"),
        Message("keys.everywhere-quit-help"),
        footer=False,
    ),
)
