"""Acts for people: the name of an act and its arguments.

Rules of this file: pure. The table of operations describes every act and every parameter; nothing here is specific to
one of them. In English an act is called by its name, which is its command.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agent.api.operations import TABLE
from agent.language.catalogue import localized
from agent.presentation.terms import CHOICES, DOMAINS, LEVELS, STEPS, Words, word
from rules.text import Message, Sentence, Text, foreign
from rules.visible import visible

_CLAUSE = re.compile("[；，（]")


def act_name(name: str) -> Sentence:
    """Return the name of an act: in Chinese its help in the table of operations, up to the first comma."""
    if name not in TABLE:
        return foreign(name)
    return Text(name, _short_help(name))


def act_title(name: str) -> Sentence:
    """Return what an act does: its help, in Chinese up to the first comma."""
    return Text(localized(TABLE[name].help, "en"), _short_help(name))


def _short_help(name: str) -> str:
    return _CLAUSE.split(localized(TABLE[name].help, "zh"))[0]


def done_notice(act: str) -> Sentence:
    """Return the notification after an act."""
    return Message("tui.act-completed", act=act_title(act))


def act_arguments(entry: Mapping[str, Any]) -> Iterator[Sentence]:
    """Yield the arguments of the act in *entry*, each in words where the table knows its value."""
    args = entry.get("args")
    if isinstance(args, dict):
        for name, raw in args.items():
            if isinstance(raw, str | int) and not isinstance(raw, bool):
                yield argument(str(entry.get("act") or entry.get("what")), name, raw)


def argument(act: str, name: str, raw: object) -> Sentence:
    """Return the value of one parameter in words."""
    param = next((param for param in TABLE[act].params if param.name == name), None) if act in TABLE else None
    if param is None:
        return word(STEPS, raw) if name == "step" else same(raw)
    if isinstance(raw, list):
        return Message("common.list", parts=[argument(act, name, element) for element in raw])
    if isinstance(raw, bool):
        return word(CHOICES, "yes" if raw else "no")
    if param.kind == "levels" and "=" in str(raw):
        domain, _, level = str(raw).rpartition("=")
        return Message("common.equals", name=word(DOMAINS, domain), value=word(LEVELS, level))
    return word(_words_of(param.name, param.kind, param.choices), raw)


def _words_of(name: str, kind: str, choices: tuple[str, ...]) -> Words:
    if kind in ("level", "levels"):
        return LEVELS
    if name == "domain":
        return DOMAINS
    return CHOICES if choices else {}


def same(raw: object) -> Sentence:
    """Return a foreign value, the same in both languages."""
    return foreign(visible(str(raw)))
