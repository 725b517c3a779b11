"""What a part that must go on does with an error: report it, and go on.

Rules of this file: :class:`FatalError` always passes, because after it the state of the process is unknown. Everything
else is reported, and what is a mistake of ours with its traceback: a part that stopped without a word would be missed
much later. Standard output is data, so reports go to standard error.
"""

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agent.errors import FatalError, ShoumiError

Report = Callable[[ShoumiError | FatalError], None]


def to_stderr(process: str) -> Report:
    """Return what reports the errors of *process*, one line each."""

    def report(error: ShoumiError | FatalError) -> None:
        print(f"shoumi: {process}: {error.text.en}", file=sys.stderr, flush=True)

    return report


@contextmanager
def going_on(report: Report) -> Iterator[None]:
    """Report what fails in the block, and leave it in good order. Raises :class:`FatalError` and nothing else."""
    try:
        yield
    except ShoumiError as error:
        report(error)
    except FatalError:
        raise
    except Exception as error:  # noqa: BLE001 - see the rules of this file
        traceback.print_exception(error, file=sys.stderr)
