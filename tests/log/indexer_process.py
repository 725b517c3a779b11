"""A real indexer in a process of its own, for the test that ends it. Arguments: log folder, index folder.

Each transaction is a :data:`BLOCK` on standard output, which whoever reads it has made no larger than one: it is never
further ahead than that of what was read, however long the reader has to wait for a processor.
"""

import os
import sys
from pathlib import Path

from agent.log.index import Indexer

BLOCK = 4096  # the smallest pipe there is, pipe(7)


def main() -> None:
    log_folder, index_folder = map(Path, sys.argv[1:])
    with Indexer(log_folder, index_folder, chunk=1_000) as indexer:
        while indexer.catch_up(0):
            os.write(1, b"." * BLOCK)


if __name__ == "__main__":
    main()
