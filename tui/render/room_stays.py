"""Who was inside a room, and what they opened meanwhile: the answer of ``log.room`` as a page.

Rules of this file: pure. The limits of the answer are part of it, each time: a list of files beside a list of people
invites a conclusion the log does not draw.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from agent.api.timestamps import local
from agent.presentation import table as text_table
from agent.presentation.terms import LEVELS, VERDICTS, YES_NO, word
from rules.text import Language, Text
from tui.i18n import text_of

Row = Mapping[str, Any]

_STAYS = (
    Text("person", "人员"), Text("from", "进入"), Text("to", "离开"), Text("door", "门"), Text("sure", "确定"),
    Text("entries", "条目"),
)  # fmt: skip
_FILES = (
    Text("person", "人员"), Text("verdict", "判定"), Text("level", "密级"), Text("times", "次数"),
    Text("inside", "室内次数"), Text("last", "末次"), Text("file", "文件"),
)  # fmt: skip
_NOBODY = Text("the log knows of nobody inside then", "日志中该时段室内无人")


def stays(items: Iterable[Row]) -> Text:
    """Return the page in both languages."""
    rows = list(items)
    return Text(_page(rows, "en"), _page(rows, "zh"))


def _page(rows: list[Row], language: Language) -> str:
    inside = [_stay(row, language) for row in rows if row["what"] == "stay"]
    opened = [_file(row, language) for row in rows if row["what"] == "access"]
    lines = _table(_STAYS, inside, language) if inside else [_NOBODY.say(language)]
    lines += ["", *_table(_FILES, opened, language)] if opened else []
    limits = [f"· {text_of(row['text']).say(language)}" for row in rows if row["what"] == "limit"]
    return "\n".join([*lines, "", *limits])


def _table(heading: tuple[Text, ...], rows: list[list[object]], language: Language) -> list[str]:
    return list(text_table.lines([text.say(language) for text in heading], rows))


def _stay(row: Row, language: Language) -> list[object]:
    until = local(row["until"]) if row["until"] else Text("not known", "不详").say(language)
    entries = [f"#{number}" for number in (row["seq"], row["seq_out"]) if number]
    sure = word(YES_NO, "yes" if row["sure"] else "no").say(language)
    return [row["person"], local(row["since"]), until, row["door"], sure, entries]


def _file(row: Row, language: Language) -> list[object]:
    level = word(LEVELS, row["level"]).say(language) if row["level"] else None
    verdict = word(VERDICTS, row["verdict"]).say(language)
    return [row["person"], verdict, level, row["times"], row["while_inside"], local(row["last"]), row["path"]]
