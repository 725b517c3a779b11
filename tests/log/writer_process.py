"""A real appender in a process of its own, for the tests that end it. Arguments: folder, durability, segment bytes.

After each batch that ``append`` returned from, the last number of it goes to standard output: the acknowledgement.
"""

import os
import sys
from pathlib import Path

from agent.log.append import Appender
from tests.log.samples import line


def main() -> None:
    folder, durability, segment_bytes = sys.argv[1:]
    with Appender(Path(folder), durability, int(segment_bytes)) as log:  # type: ignore[arg-type]
        while True:
            size = 1 + log.next_seq % 7
            log.append([line(log.next_seq + n, path="/srv/计划/" + "名单" * n) for n in range(size)])
            os.write(1, b"%d\n" % (log.next_seq - 1))


if __name__ == "__main__":
    main()
