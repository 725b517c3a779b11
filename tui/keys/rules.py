"""Actions on rules: the pack in force, and queries of its verdicts."""

from rules.text import Message
from tui.keys.shape import KeyAction, ScreenPlace

PLACE = ScreenPlace(
    "rules",
    "8",
    Message("keys.rules"),
    Message("keys.rules-place-help"),
    "tui.screens.rules:RulesScreen",
    ("pack.show",),
)

ACTIONS = (
    KeyAction(
        "rules.filter",
        "slash",
        Message("common.filter"),
        Message("keys.rules-filter-help"),
        ("pack.show",),
    ),
    KeyAction(
        "rules.open",
        "enter",
        Message("common.clauses"),
        Message("keys.rules-open-help"),
        ("pack.show",),
    ),
    KeyAction(
        "rules.explain",
        "w",
        Message("keys.query-access"),
        Message("keys.rules-explain-help"),
        ("explain",),
    ),
    KeyAction(
        "rules.what-if",
        "i",
        Message("keys.what-if"),
        Message("keys.rules-what-if-help"),
        ("what-if",),
    ),
    KeyAction(
        "rules.text",
        "p",
        Message("keys.pack-text"),
        Message("keys.rules-text-help"),
        ("pack.show",),
        footer=False,
    ),
    KeyAction(
        "rules.use",
        "u",
        Message("keys.use-pack"),
        Message("keys.rules-use-help"),
        ("pack.use", "pack.show"),
        cuts=True,
        footer=False,
    ),
    KeyAction(
        "rules.check",
        "c",
        Message("keys.check-pack"),
        Message("keys.rules-check-help"),
        ("pack.show",),
        footer=False,
        also=("pack.check",),
    ),
    KeyAction(
        "rules.holidays",
        "h",
        Message("common.holidays"),
        Message("keys.rules-holidays-help"),
        ("holiday.list",),
        footer=False,
    ),
    KeyAction(
        "rules.add-holiday",
        "a",
        Message("keys.add-holiday"),
        Message("keys.rules-add-holiday-help"),
        ("holiday.add",),
        footer=False,
    ),
    KeyAction(
        "rules.end-holiday",
        "x",
        Message("keys.end-holiday"),
        Message("keys.rules-end-holiday-help"),
        ("holiday.remove", "holiday.list"),
        footer=False,
    ),
    KeyAction(
        "rules.copy",
        "y",
        Message("keys.copy"),
        Message("keys.copy-row-help"),
        footer=False,
    ),
)
