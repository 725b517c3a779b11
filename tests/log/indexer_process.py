"""A real indexer in a process of its own, for the test that ends it. Arguments: log folder, index folder.

Each transaction is a byte on standard output.
"""

import os
import sys
from pathlib import Path

from agent.log.index import Indexer


def main() -> None:
    log_folder, index_folder = map(Path, sys.argv[1:])
    with Indexer(log_folder, index_folder, chunk=1_000) as indexer:
        while indexer.catch_up(0):
            os.write(1, b".")


if __name__ == "__main__":
    main()
