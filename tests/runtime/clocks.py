"""Both clocks of a machine, to be moved by hand: the machine's own are never touched."""

from dataclasses import dataclass

from agent.runtime.clock import AgentClock
from agent.runtime.timeline import Timeline

SECOND = 1_000_000_000
HOUR, DAY = 3600 * SECOND, 86_400 * SECOND


@dataclass
class Clocks:
    """What the kernel would say."""

    wall: int = 1_780_000_000 * SECOND
    boot: int = 5 * HOUR
    synchronised: bool = False

    def wait(self, nanoseconds: int) -> None:
        self.wall += nanoseconds
        self.boot += nanoseconds

    def agent(self, timeline: Timeline | None = None) -> AgentClock:
        return AgentClock(
            timeline, synchronised=lambda: self.synchronised, wall=lambda: self.wall, boot=lambda: self.boot
        )
