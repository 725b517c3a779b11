"""``python -m tests.long PART [--short] [--rounds N] [--seconds N] [--resume]``, ``… report``, ``… pick COMMIT``.

Rules of this file: SIGTERM or Ctrl-C ends a part at any time; it undoes what it made, and ``--resume`` goes on with it.
"""

import argparse
import hashlib
import importlib
import shutil
import signal
import sys
import traceback
from typing import NoReturn

from tests import ROOT
from tests.long import results
from tests.long.rounds import SHORT_SECONDS, Part, Run, begin

PARTS = (
    "tests",
    "kills",
    "losses",
    "power",
    "log",
    "fuzz",
    "mutants",
    "days",
    "kernels",
    "clock",
    "luks",
    "disks",
    "install",
    "samba",
    "share",
)
BUILD = ROOT / "build" / "long"


def main(argv: list[str]) -> int:
    """Run a part; 0: nothing failed, 1: something did, 2: usage, 3: stopped before its end."""
    options = argparse.ArgumentParser(prog="python -m tests.long")
    options.add_argument("part", choices=(*PARTS, "report", "pick", "needs"))
    options.add_argument("of", nargs="?", help="`pick`: a commit; `needs`: a part, whose packages are printed")
    options.add_argument("--short", action="store_true", help="the form that takes three minutes at most")
    options.add_argument("--rounds", type=_positive, metavar="N")
    options.add_argument("--seconds", type=_positive, metavar="N", help="begin no round after N seconds")
    options.add_argument("--resume", action="store_true", help="go on with a run of this commit that was stopped")
    chosen = options.parse_args(argv)
    if chosen.of and chosen.part not in ("pick", "needs"):
        options.error(f"`{chosen.part}` takes no second word")
    match chosen.part:
        case "report":
            print("\n".join(results.table(results.read())))
            return 0
        case "pick":
            if not (commit := results.full(chosen.of or "HEAD")):
                options.error(f"`{chosen.of or 'HEAD'}` is no commit")
            print(picked(commit))
            return 0
        case "needs":
            if chosen.of not in PARTS:
                options.error(f"`needs` is followed by one of {', '.join(PARTS)}")
            print(*part(chosen.of).needs)
            return 0
    return _run(part(chosen.part), chosen)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def part(name: str) -> Part:
    """Return a part by its name."""
    found = importlib.import_module(f"tests.long.{name}").PART
    assert isinstance(found, Part)
    return found


def picked(commit: str) -> str:
    """Return the part whose short form a submission of *commit* runs, so that all have their turn."""
    turn = [name for name in PARTS if name != "kernels"]  # of these one is run by every submission, beside this part
    return turn[int.from_bytes(hashlib.sha256(commit.encode()).digest()[:8]) % len(turn)]


def _run(what: Part, chosen: argparse.Namespace) -> int:
    commit, dirty = results.commit()
    folder = BUILD / (what.name + ("-short" if chosen.short else ""))
    folder.mkdir(parents=True, exist_ok=True)
    state = begin(folder, commit, short=chosen.short, resume=chosen.resume)
    seconds = chosen.seconds if chosen.seconds is not None or not chosen.short else SHORT_SECONDS
    rounds = chosen.rounds if chosen.rounds is not None else what.short if chosen.short else what.rounds
    signal.signal(signal.SIGTERM, _stopped)
    _say(f"{what.name}: {what.what}; {rounds} rounds{f', {state.rounds} of them done' if state.rounds else ''}")
    run = Run(what, state, folder, rounds, seconds, _say)
    try:
        what.run(run)
    except KeyboardInterrupt:  # what was saved is done and checked, and nothing else is
        _say(f"stopped; `--resume` goes on after {run.saved} rounds")
        return 3
    except Exception as error:  # a part that breaks is a finding of its own, with what it had counted
        _say("".join(traceback.format_tb(error.__traceback__)))
        run.fail(f"{type(error).__name__}: {error}")
    run.save()
    result = results.add(what.name, state, dirty=dirty)
    if chosen.short or state.rounds >= rounds:  # else its time was over first, and it can go on
        shutil.rmtree(folder)
    print("\n".join(results.table([result])))
    return 1 if state.failures else 0


def _stopped(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
