"""Whatever comes, a parser gives what it promises or its declared error, soon, and what it takes means what it says."""

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import examples
from tests.fuzz.broken import broken
from tests.fuzz.parser import Parser
from tests.fuzz.table import PARSERS

_SECONDS = 10  # of processor time, for one input: whoever takes so long never ends
VECTORS = Path(__file__).parent / "vectors"


class EndlessError(BaseException):
    """A parser goes on and on. No ``except`` of its own catches it."""


@contextmanager
def ended() -> Iterator[None]:
    """End what takes too much processor time, however busy the machine is."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise EndlessError

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def tried(parser: Parser, data: bytes) -> Any:
    """Feed *data*; return what was made of it, ``None`` when it was refused as declared."""
    try:
        with ended():
            found = parser.feed(data)
    except parser.errors:
        return None
    parser.check(data, found)
    return found


@pytest.mark.parametrize("name", PARSERS)
@examples(15)
@given(st.data())
def test_broken_input_is_refused_as_declared_or_taken_for_what_it_is(name: str, data: st.DataObject) -> None:
    parser = PARSERS[name]
    tried(parser, data.draw(broken(parser.samples)))


@pytest.mark.parametrize("name", PARSERS)
def test_the_samples_are_taken(name: str) -> None:
    """Else nothing behind the first check is ever reached."""
    parser = PARSERS[name]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert any(tried(parser, sample) is not None for sample in parser.samples) or name in (
        "seen-holders",
        "terminal-settings",
    )
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB


@pytest.mark.parametrize("path", sorted(VECTORS.glob("*/*")), ids=lambda path: f"{path.parent.name}: {path.name}")
def test_what_once_broke_a_parser_does_not_break_it_any_more(path: Path) -> None:
    tried(PARSERS[path.parent.name], path.read_bytes())
