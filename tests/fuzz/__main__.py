"""``python -m tests.fuzz [PARSER] [--seconds N] [--seed N]``: ``make fuzz``; new examples until the time is over.

One parser, or all of them in turn, each round with another seed. An input that breaks one is printed, shortened; it is
kept as a file of ``tests/fuzz/vectors/PARSER``, under the name of the attack it is. Exit: 0 none was found, 1 one was.
"""

import argparse
import secrets
import sys
import time
from itertools import count

from tests.fuzz.table import PARSERS
from tests.long import suite

_TEST = "tests/fuzz/test_parsers.py::test_broken_input_is_refused_as_declared_or_taken_for_what_it_is"


def main(argv: list[str]) -> int:
    """Look for broken input until the time is over, or until some is found."""
    options = argparse.ArgumentParser(prog="python -m tests.fuzz")
    options.add_argument("parser", nargs="?", choices=tuple(PARSERS), metavar="PARSER", help=", ".join(PARSERS))
    options.add_argument("--seconds", type=float, default=300.0, metavar="N")
    options.add_argument("--seed", type=int, default=secrets.randbits(31), metavar="N", help="of the first round")
    chosen = options.parse_args(argv)
    ends = time.monotonic() + chosen.seconds
    names = [chosen.parser] if chosen.parser else list(PARSERS)
    for seed in count(chosen.seed):
        left = ends - time.monotonic()
        if left <= 0:
            return 0
        tests = (f"{_TEST}[{name}]" for name in names)
        code, said = suite.run(left, "--hypothesis-profile=search", f"--hypothesis-seed={seed}", *tests)
        print(f"seed {seed}: {said.strip().splitlines()[-1] if said.strip() else 'ended by the clock'}", flush=True)
        if code:
            print(said)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
