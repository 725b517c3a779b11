"""Actions on proposals, the acts that wait for a second officer."""

from rules.text import Message
from tui.keys.shape import KeyAction, ScreenPlace

PLACE = ScreenPlace(
    "proposals",
    "9",
    Message("keys.proposals"),
    Message("keys.proposals-place-help"),
    "tui.screens.proposals:ProposalsScreen",
    ("proposal.list",),
)

ACTIONS = (
    KeyAction(
        "proposals.filter",
        "slash",
        Message("common.filter"),
        Message("keys.proposals-filter-help"),
        ("proposal.list",),
    ),
    KeyAction(
        "proposals.open",
        "enter",
        Message("keys.effects"),
        Message("keys.proposals-open-help"),
        ("proposal.show",),
    ),
    KeyAction(
        "proposals.confirm",
        "c",
        Message("keys.confirm-proposal"),
        Message("keys.proposals-confirm-help"),
        ("proposal.confirm", "proposal.show"),
    ),
    KeyAction(
        "proposals.refuse",
        "x",
        Message("keys.refuse"),
        Message("keys.proposals-refuse-help"),
        ("proposal.refuse",),
    ),
    KeyAction(
        "proposals.all",
        "z",
        Message("common.all"),
        Message("keys.proposals-all-help"),
        ("proposal.list",),
    ),
    KeyAction(
        "proposals.copy",
        "y",
        Message("keys.copy"),
        Message("keys.copy-row-help"),
        footer=False,
    ),
)
