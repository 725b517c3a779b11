"""Regulations as data: every clause (``clauses.csv``), and the 25 duties derived from them (``duties.csv``).

Rules of this file: it parses text and reads no file; the two tables are product data and have no other copy.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from rules.text import Sentence, Text


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause: regulation, article, obligation, and how software can serve it."""

    id: str
    document: str
    article: str
    obligation: Sentence
    theme: str
    how: Literal["enforced", "recorded", "reported", "manual"]


@dataclass(frozen=True, slots=True)
class Duty:
    """One of the 25 duties that software can enforce, with the clauses it is derived from."""

    number: int
    title: Sentence
    clauses: tuple[str, ...]


def read_clauses(text: str) -> Mapping[str, Clause]:
    """Return the clauses in the text of ``clauses.csv`` by id; raise ``KeyError`` if a column is missing."""
    return {
        row["id"]: Clause(
            row["id"],
            row["document"],
            row["article"],
            Text(row["obligation_en"], row["obligation_zh"]),
            row["theme"],
            cast('Literal["enforced", "recorded", "reported", "manual"]', row["how"]),
        )
        for row in csv.DictReader(text.splitlines())
    }


def read_duties(text: str) -> Mapping[int, Duty]:
    """Return the duties in the text of ``duties.csv`` by number; raise ``KeyError`` if a column is missing."""
    return {
        int(row["number"]): Duty(int(row["number"]), Text(row["en"], row["zh"]), tuple(row["clauses"].split()))
        for row in csv.DictReader(text.splitlines())
    }
