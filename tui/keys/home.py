"""Actions of the first screen."""

from rules.text import Message
from tui.keys.shape import KeyAction, ScreenPlace

PLACE = ScreenPlace(
    "home",
    "1",
    Message("keys.home"),
    Message("keys.home-place-help"),
    "tui.screens.home:HomeScreen",
)

ACTIONS: tuple[KeyAction, ...] = (
    KeyAction(
        "home.open",
        "enter",
        Message("common.open"),
        Message("keys.home-open-help"),
    ),
    KeyAction(
        "home.denials",
        "d",
        Message("keys.denials"),
        Message("keys.home-denials-help"),
        ("log.read",),
    ),
)
