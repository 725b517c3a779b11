"""The terminal: what is printed, where, and in which language.

Rules of this file: data goes to stdout, talk to stderr. With ``--json`` stdout carries JSON and nothing else, one
object a line. An error is one line ``shoumi: …`` and one line ``hint: …``. No other file prints.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

from agent.errors import ShoumiError
from agent.presentation import table as text_table
from agent.runtime.config import load
from agent.runtime.home import Home
from rules.text import Language, Text
from rules.visible import visible

Json = Any


@dataclass(slots=True)
class Console:
    """Where one command speaks. ``json``: print data as JSON lines."""

    language: Language
    json: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)

    def say(self, text: Text) -> str:
        """Return *text* in the language of this terminal."""
        return text.say(self.language)

    def data(self, value: Json, *sentences: Text) -> None:
        """Print a result: as JSON, or as sentences."""
        if self.json:
            self.line(json_line(value))
        else:
            for sentence in sentences:
                self.line(self.say(sentence))

    def table(self, heading: Sequence[Text], rows: Iterable[Sequence[object]]) -> None:
        """Print rows in columns under their headings."""
        for line in text_table.lines([self.say(text) for text in heading], rows):
            self.line(line)

    def line(self, text: str) -> None:
        """Print one finished line of data."""
        print(text, file=self.out)

    def talk(self, text: Text) -> None:
        """Print one sentence that is not data."""
        print(self.say(text), file=self.err, flush=True)

    def error(self, error: ShoumiError) -> None:
        """Print an error and its hint."""
        said = error.lines(self.language)
        print("\n".join([f"shoumi: {said[0]}", *said[1:]]), file=self.err, flush=True)


def json_line(value: Json) -> str:
    """Return *value* as one line of JSON in which nothing moves the cursor or reorders what is read (contract C9).

    Characters ``visible`` would write out become JSON escapes, so the line still parses back to exactly *value*.
    """
    text = json.dumps(value, ensure_ascii=False)
    return text if visible(text) == text else "".join(map(_escaped, text))


def _escaped(char: str) -> str:
    return char if visible(char) == char else json.dumps(char)[1:-1]


def choose_language(home: Home, environ: Mapping[str, str] = os.environ) -> Language:
    """Take ``SHOUMI_LANG``, else the site's setting, else the locale."""
    if (word := environ.get("SHOUMI_LANG", "")[:2]) in ("zh", "en"):
        return "zh" if word == "zh" else "en"
    if environ.get("SHOUMI_LANG") is None:
        try:
            configured = load(home.config).language
        except ShoumiError:
            configured = None
        if configured:
            return configured
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "zh" if locale.startswith("zh") else "en"
