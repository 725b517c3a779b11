"""A decider without a kernel that also writes ordinary entries, so many a second.

Run as ``python -m tests.bench.busy_peer HOME FD``. On stdin it takes ``rate N``.
"""

import os
import select
import socket
import sys
import time

from agent.log.entry import stamp_ns
from agent.runtime import channel
from agent.runtime.home import Home
from tests.bench.record import FIELDS
from tests.control.peer_process import Peer

_TICK = 0.02  # seconds between two batches


class BusyPeer(Peer):
    """Answers like any decider, and writes."""

    rate = 0

    def run(self) -> None:
        """Until stdin ends."""
        owed, before = 0.0, time.monotonic()
        while True:
            ready, _, _ = select.select([self.end, 0], [], [], _TICK if self.rate else None)
            now = time.monotonic()
            owed, before = owed + self.rate * (now - before), now
            if 0 in ready:
                words = os.read(0, 1000).split()
                if not words:
                    return
                self.rate = int(words[1])
                owed = 0.0
                os.write(1, b"ok\n")
            if self.end in ready and (message := channel.receive(self.end)) is not None:
                self.answer(message)
            if owed >= 1:
                self.write(int(owed))
                owed -= int(owed)

    def write(self, count: int) -> None:
        """Write *count* entries."""
        first, time_ = self.appender.next_seq, stamp_ns(time.time_ns())
        lines = [f'{{"seq":{seq},"time":"{time_}",{FIELDS}}}'.encode() for seq in range(first, first + count)]
        self.appender.append(lines)


if __name__ == "__main__":
    BusyPeer(Home.at(sys.argv[1]), socket.socket(fileno=int(sys.argv[2]))).run()
