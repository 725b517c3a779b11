"""``shoumi clock``: what is to be done when the clock of the host was set back."""

from agent.cli.context import act
from rules.text import Text

NOUN = Text("the clock of the host", "主机时钟")

COMMANDS = (
    act(
        "clock.accept",
        lambda r: Text(
            f"time is judged by the system clock again, {r['behind']:.0f} s earlier than before",
            f"已恢复按系统时钟判定，比此前早 {r['behind']:.0f} 秒",
        ),
    ),
)
