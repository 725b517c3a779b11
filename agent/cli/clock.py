"""``shoumi clock``: acceptance of the host's clock after it was set back."""

from agent.cli.context import act
from rules.text import Message

NOUN = Message("cli.noun-clock")

COMMANDS = (
    act(
        "clock.accept",
        lambda r: Message("cli.clock-accepted", behind=r["behind"]),
    ),
)
