"""The terminal: output of data, messages and errors, in one language.

Rules of this file: data goes to stdout, messages to stderr. With ``--json`` stdout carries JSON and nothing else, one
object per line. An error is one line ``shoumi: …`` and one line ``hint: …``. No other file prints.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

from agent.errors import ShoumiError
from agent.language.catalogue import expanded, localized
from agent.language.errors import error_lines
from agent.presentation import table as text_table
from agent.presentation.fields import officer
from agent.runtime.config import load
from agent.runtime.home import Home
from rules.text import Language, Message, Sentence, Text
from rules.visible import visible

Json = Any


@dataclass(slots=True)
class Console:
    """Output of one command. ``json``: print data as JSON lines."""

    language: Language
    json: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)

    def say(self, text: Sentence) -> str:
        """Return *text* in the language of this terminal."""
        return localized(text, self.language)

    def emit(self, payload: Json, *sentences: Sentence) -> None:
        """Print an answer: as JSON, or as sentences."""
        if self.json:
            self.line(json_line(payload))
        else:
            for sentence in sentences:
                self.line(self.say(sentence))

    def table(self, heading: Sequence[Sentence], rows: Iterable[Sequence[object]]) -> None:
        """Print rows in columns under their headings."""
        cells = [[self._cell(cell) for cell in row] for row in rows]
        for line in text_table.lines([self.say(text) for text in heading], cells):
            self.line(line)

    def _cell(self, cell: object) -> object:
        if isinstance(cell, Message | Text):
            return self.say(cell)
        if isinstance(cell, list | tuple) and cell:
            return self.say(Message("common.list", parts=cell))
        return self.say(officer(cell)) if isinstance(cell, str) else cell

    def line(self, text: str) -> None:
        """Print one finished line of data."""
        print(text, file=self.out)

    def talk(self, text: Sentence) -> None:
        """Print one sentence that is not data, to stderr."""
        print(self.say(text), file=self.err, flush=True)

    def error(self, error: ShoumiError) -> None:
        """Print an error and its hint."""
        first, *hint = error_lines(error, self.language)
        print(f"shoumi: {first}", *hint, sep="\n", file=self.err, flush=True)


def json_line(payload: Json) -> str:
    """Return *payload* as one line of JSON without characters that move the cursor or reorder text (contract C9).

    Sentences carry what they say in both languages beside their code. Characters that ``visible`` would write out
    become JSON escapes: the line parses back to exactly that.
    """
    text = json.dumps(expanded(payload), ensure_ascii=False)
    return text if visible(text) == text else "".join(map(_escaped, text))


def _escaped(char: str) -> str:
    return char if visible(char) == char else json.dumps(char)[1:-1]


def choose_language(home: Home, environ: Mapping[str, str] = os.environ) -> Language:
    """Return the language of ``SHOUMI_LANG``, else of the site's setting, else of the locale."""
    if (setting := environ.get("SHOUMI_LANG", "")[:2]) in ("zh", "en"):
        return "zh" if setting == "zh" else "en"
    if environ.get("SHOUMI_LANG") is None:
        try:
            configured = load(home.config).language
        except ShoumiError:
            configured = None
        if configured:
            return configured
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "zh" if locale.startswith("zh") else "en"
