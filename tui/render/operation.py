"""Acts as people read them: what an act is called, and what it was asked with.

Rules of this file: pure. The table of operations knows what every act and every parameter means; nothing here knows any
one of them. In English an act is called by its name, which is its command.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from agent.api.operations import TABLE
from agent.presentation.terms import CHOICES, DOMAINS, LEVELS, STEPS, Words, word
from rules.text import Text
from rules.visible import visible

_CLAUSE = re.compile("[；，（]")


def act_name(name: str) -> Text:
    """Return what an act is called: in Chinese what the table of operations says of it, as far as its first comma."""
    said = visible(name)
    return Text(said, _CLAUSE.split(TABLE[name].help.zh)[0]) if name in TABLE else Text(said, said)


def done(act: str) -> Text:
    """Return what is told when an act was done."""
    name = act_name(act)
    return Text(f"✓ done: {TABLE[act].help.en}", f"✓ 完成：{name.zh}")


def asked(entry: Mapping[str, Any]) -> Iterator[Text]:
    """Yield what an act was asked with, each value in a word where it is one of the table's."""
    args = entry.get("args")
    if isinstance(args, dict):
        for name, value in args.items():
            if isinstance(value, str | int) and not isinstance(value, bool):
                yield argument(str(entry.get("act") or entry.get("what")), name, value)


def argument(act: str, name: str, value: object) -> Text:
    """Return the value of one parameter as a person reads it."""
    param = next((one for one in TABLE[act].params if one.name == name), None) if act in TABLE else None
    if param is None:
        return word(STEPS, value) if name == "step" else same(value)
    if isinstance(value, list):
        said = [argument(act, name, one) for one in value]
        return Text(", ".join(one.en for one in said), "、".join(one.zh for one in said))
    if isinstance(value, bool):
        return word(CHOICES, "yes" if value else "no")
    if param.kind == "levels" and "=" in str(value):
        domain, _, level = str(value).rpartition("=")
        named, said_level = word(DOMAINS, domain), word(LEVELS, level)
        return Text(f"{named.en}={said_level.en}", f"{named.zh}={said_level.zh}")
    return word(_words_of(param.name, param.kind, param.choices), value)


def _words_of(name: str, kind: str, choices: tuple[str, ...]) -> Words:
    if kind in ("level", "levels"):
        return LEVELS
    if name == "domain":
        return DOMAINS
    return CHOICES if choices else {}


def same(value: object) -> Text:
    """Return a foreign value, the same in both languages."""
    said = visible(str(value))
    return Text(said, said)
