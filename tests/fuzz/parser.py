"""What is said of one parser, so that it can be fuzzed.

Rules of this file: a parser is called with bytes alone. Whatever it raises beside its declared errors is a mistake, and
so is what lasts, what grows, and what it lets through that is none of its samples' meaning (``check``).
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple


def _nothing(_data: bytes, _found: Any) -> None:
    pass


class Parser(NamedTuple):
    """One parser. ``covers``: the functions it runs, as ``module:function``, that :mod:`tests.fuzz.listed` finds.

    ``check(data, found)`` raises ``AssertionError`` for what must not be made of *data*; ``source``: who sends it.
    """

    name: str
    source: str
    covers: tuple[str, ...]
    feed: Callable[[bytes], Any]
    errors: tuple[type[Exception], ...]
    samples: Sequence[bytes]
    check: Callable[[bytes, Any], None] = _nothing


def in_file(read: Callable[[Path], Any], name: str = "file") -> Callable[[bytes], Any]:
    """Return what feeds a reader of files, each time with a file of its own."""

    def feed(data: bytes) -> Any:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            path = Path(folder, name)
            path.write_bytes(data)
            path.chmod(0o600)
            return read(path)

    return feed


def in_text(read: Callable[[str], Any]) -> Callable[[bytes], Any]:
    """Return what feeds a reader of text; bytes that are no text come as the program has them elsewhere."""
    return lambda data: read(data.decode("utf-8", "surrogateescape"))
