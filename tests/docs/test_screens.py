"""Pictures of the terminal: every part of a text begins in the column in which the terminal has it."""

import html
import re

import pytest
from rich.cells import cell_len

from tests.docs.screens import FOLDER, TEXT, in_columns

_PART = re.compile(r'<text [^>]*?x="([\d.]+)"[^>]*?textLength="([\d.]+)"[^>]*>([^<]*)</text>')
_COLUMN = 12.2  # units of a picture


def test_chinese_takes_two_columns() -> None:
    found = TEXT.fullmatch('<text class="a" x="12.2" y="20" textLength="61" clip-path="b">守密&#160;&lt;x</text>')
    assert found
    parts = [(float(x) / _COLUMN, float(wide) / _COLUMN, said) for x, wide, said in _PART.findall(in_columns(found))]
    assert parts == [(1, pytest.approx(4), "守密"), (pytest.approx(5), pytest.approx(3), "&#160;&lt;x")]


@pytest.mark.parametrize("picture", sorted(FOLDER.glob("*.svg")), ids=lambda picture: picture.stem)
def test_no_text_of_a_picture_lies_over_another(picture: object) -> None:
    parts = _PART.findall(FOLDER.joinpath(str(picture)).read_text(encoding="utf-8"))
    assert len(parts) > 50
    for x, wide, said in parts:
        assert float(wide) == pytest.approx(_COLUMN * cell_len(html.unescape(said)), abs=0.2), said
        assert float(x) / _COLUMN == pytest.approx(round(float(x) / _COLUMN), abs=0.02), said
