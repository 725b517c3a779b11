"""Line numbers of the keys in a TOML text.

The standard library's ``tomllib`` gives no line numbers. Rules of this file: the text has already been accepted
by ``tomllib``, so nothing here judges syntax; for a missing key the nearest key above it is used.
"""

import re
from collections.abc import Mapping

from rules.pack.problem import Path

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_KEYS = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_HEADER = re.compile(rf"[ \t]*\[\[?[ \t]*({_KEYS})[ \t]*\]\]?")
_ASSIGNMENT = re.compile(rf"[ \t]*({_KEYS})[ \t]*=")
_ONE_KEY = re.compile(_KEY)
_TOKEN = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'  # a string of several lines may end in up to two quotes of its own
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[\[\]{}\n]"
    r"|[^\"'#\[\]{}\n]+",
    re.DOTALL,
)
_DEPTH = {"[": 1, "{": 1, "]": -1, "}": -1}


def key_lines(text: str) -> Mapping[Path, int]:
    """Return the line, from 1, of every table and every assignment in the valid TOML *text*.

    A table without a header of its own has the line where it is first implied: ``[a.b]`` implies ``a``.
    """
    lines: dict[Path, int] = {}
    implied: dict[Path, int] = {}
    table: Path = ()
    place = 0
    depth = 0
    line = 1
    fresh = True  # at the start of a line, outside every bracket: only here can a statement begin
    while place < len(text):
        if fresh and (header := _HEADER.match(text, place)):
            table = _split(header[1])
            _enter(table, line, lines, implied)
            place = header.end()
        elif fresh and (assignment := _ASSIGNMENT.match(text, place)):
            _enter(table + _split(assignment[1]), line, lines, implied)
            place = assignment.end()
        elif token := _TOKEN.match(text, place):
            depth += _DEPTH.get(token[0], 0)
            line += token[0].count("\n")
            place = token.end()
            fresh = token[0] == "\n" and depth == 0
            continue
        else:  # not TOML after all: the lines found so far still help
            break
        fresh = False
    return {**implied, **lines}


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """Return the line of *path*, or of the nearest key above it that has one, or 1."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _enter(path: Path, line: int, lines: dict[Path, int], implied: dict[Path, int]) -> None:
    lines.setdefault(path, line)
    for length in range(1, len(path)):
        implied.setdefault(path[:length], line)


def _split(keys: str) -> Path:
    return tuple(key[1:-1] if key[0] in "\"'" else key for key in _ONE_KEY.findall(keys))
