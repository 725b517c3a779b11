"""A real inbox in a process of its own, for the tests that end it. Arguments: home, what to do when handed a notice.

    go      write "jti subject" to H/handed.txt, durable, and go on
    stop    the same for the first notice, then say so on standard output and never return from it

It sweeps for ever; a line ``swept N`` goes to standard output after each sweep that found something.
"""

import os
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from agent.offboard.intake.inbox import Hooks, Inbox
from agent.offboard.intake.notice import HrNotice


def main() -> None:
    home, manner = Path(sys.argv[1]), sys.argv[2]
    handed = os.open(home / "handed.txt", os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)

    def received(notice: HrNotice) -> None:
        os.write(handed, f"{notice.jti} {notice.subject}\n".encode())
        if manner == "stop":
            os.write(1, b"stopped\n")
            signal.pause()

    hooks = Hooks(
        known=lambda employee: employee.startswith("E"),
        acts=lambda _approver: True,
        wanted=lambda: 1,
        received=received,
        note=lambda _done: None,
        trouble=lambda *_trouble: None,
    )
    inbox = Inbox(home, hooks, settling=0, looking=60, filing=60)
    while True:
        if done := inbox.sweep(datetime.now(UTC)):
            os.write(1, b"swept %d\n" % len(done))


if __name__ == "__main__":
    main()
