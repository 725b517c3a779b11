"""Printed errors: the sentence, then the hint."""

from typing import Protocol

from agent.language.catalogue import localized
from rules.text import Language, Message, Sentence


class HintedError(Protocol):
    """The printed part of an error of :mod:`agent.errors`."""

    text: Sentence
    hint: Sentence | None


def error_lines(error: HintedError, language: Language) -> list[str]:
    """Return *error* and its hint, one line each, without the program name."""
    lines = [localized(error.text, language)]
    if error.hint:
        lines.append(localized(Message("runtime.hint", hint=error.hint), language))
    return lines
