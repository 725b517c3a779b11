"""What becomes of an error in a part that must go on: it is reported, and a verdict it prevents is a denial.

Rules of this file: :class:`FatalError` always passes, because after it the state of the process is unknown. Everything
else is reported, and what is a mistake of ours with its traceback: a part that stopped without a word would be missed
much later. Standard output is data, so reports go to standard error, and nobody waits for a reader of that.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agent.errors import FatalError, ShoumiError
from agent.runtime.saying import say, say_traceback
from rules.model import Verdict
from rules.text import Text

Report = Callable[[ShoumiError | FatalError], None]


def to_stderr(process: str) -> Report:
    """Return what reports the errors of *process*, one line each."""

    def report(error: ShoumiError | FatalError) -> None:
        say(f"shoumi: {process}: {error.text.en}")

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
        say_traceback(error)


def error_verdict(error: Exception) -> Verdict:
    """Return the deny an error becomes."""
    text = (
        error.text if isinstance(error, FatalError | ShoumiError) else Text(type(error).__name__, type(error).__name__)
    )
    return Verdict(
        allow=False,
        rule="error",
        clauses=(),
        because=Text(f"no verdict could be made: {text.en}", f"无法作出判定:{text.zh}"),
        change=Text("look at `shoumi doctor`", "请运行 `shoumi doctor`"),
    )
