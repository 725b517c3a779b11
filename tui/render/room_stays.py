"""Stays in a room and the files opened meanwhile: the answer of ``log.room`` as a page.

Rules of this file: pure. The page always states the limits of the answer: a list of files beside a list of people
suggests a conclusion that the log does not support.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from agent.api.timestamps import local
from agent.language.catalogue import localized
from agent.presentation import table as text_table
from agent.presentation.terms import LEVELS, VERDICTS, YES_NO, word
from rules.text import Language, Message, Sentence, Text, from_json

Row = Mapping[str, Any]

_STAYS = (
    Message("common.person"), Message("tui.column-from"), Message("common.to"), Message("common.door"),
    Message("common.certain"), Message("common.entries"),
)  # fmt: skip
_FILES = (
    Message("common.person"), Message("common.verdict"), Message("common.level"), Message("common.times"),
    Message("tui.column-times-inside"), Message("common.last"), Message("common.file"),
)  # fmt: skip
_NOBODY = Message("common.nobody-inside-then")


def stays(items: Iterable[Row]) -> Text:
    """Return the page in both languages."""
    rows = list(items)
    return Text(_page(rows, "en"), _page(rows, "zh"))


def _page(rows: list[Row], language: Language) -> str:
    inside = [_stay(row, language) for row in rows if row["what"] == "stay"]
    opened = [_file(row, language) for row in rows if row["what"] == "access"]
    lines = _table(_STAYS, inside, language) if inside else [localized(_NOBODY, language)]
    lines += ["", *_table(_FILES, opened, language)] if opened else []
    limits = [f"· {localized(from_json(row['text']), language)}" for row in rows if row["what"] == "limit"]
    return "\n".join([*lines, "", *limits])


def _table(heading: tuple[Sentence, ...], rows: list[list[object]], language: Language) -> list[str]:
    return list(text_table.lines([localized(text, language) for text in heading], rows))


def _stay(row: Row, language: Language) -> list[object]:
    until = local(row["until"]) if row["until"] else localized(Message("common.not-known"), language)
    entries = [f"#{number}" for number in (row["seq"], row["seq_out"]) if number]
    sure = localized(word(YES_NO, "yes" if row["sure"] else "no"), language)
    return [row["person"], local(row["since"]), until, row["door"], sure, entries]


def _file(row: Row, language: Language) -> list[object]:
    level = localized(word(LEVELS, row["level"]), language) if row["level"] else None
    verdict = localized(word(VERDICTS, row["verdict"]), language)
    return [row["person"], verdict, level, row["times"], row["while_inside"], local(row["last"]), row["path"]]
