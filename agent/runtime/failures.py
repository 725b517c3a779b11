"""Handling of failures in parts that must continue: they are reported, and a verdict they prevent is a denial.

Rules of this file: :class:`FatalError` always propagates, because after it the state of the process is unknown. Every
other error is reported, programming errors with their traceback: a silently stopped part would be noticed much later.
Standard output is data, so reports go to standard error, without waiting for its reader.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from agent.errors import FatalError, ShoumiError
from agent.language.catalogue import localized
from agent.runtime.saying import say, say_traceback
from rules.model import Verdict
from rules.text import Message, foreign

Report = Callable[[ShoumiError | FatalError], None]


def to_stderr(process: str) -> Report:
    """Return the reporter of errors of *process*, one line each."""

    def report(error: ShoumiError | FatalError) -> None:
        say(f"shoumi: {process}: {localized(error.text, 'en')}")

    return report


@contextmanager
def going_on(report: Report) -> Iterator[None]:
    """Report an error of the block, and continue after it. Raises :class:`FatalError` and nothing else."""
    try:
        yield
    except ShoumiError as error:
        report(error)
    except FatalError:
        raise
    except Exception as error:  # noqa: BLE001 - see the rules of this file
        say_traceback(error)


def error_verdict(error: Exception) -> Verdict:
    """Return the deny for an error."""
    text = error.text if isinstance(error, FatalError | ShoumiError) else foreign(type(error).__name__)
    return Verdict(
        allow=False,
        rule="error",
        clauses=(),
        because=Message("runtime.no-verdict", reason=text),
        change=Message("runtime.run-doctor"),
    )
