"""What comes from outside may be any sentence: rendering it costs what it says, and not what it doubles to."""

import json

from agent.language.catalogue import expanded, localized
from rules.text import Message
from tests.language.source import entries

_TWICE = next(  # the code of a sentence that names a parameter twice
    code
    for code, entry in entries("en").items()
    if entry.file != "argparse.po" and not entry.plural
    if any(entry.forms[0].count(f"{{{name}}}") > 1 for name in entry.placeholders[0])
)


def _nested(levels: int) -> Message:
    names = frozenset().union(*entries("en")[_TWICE].placeholders)
    sentence = Message(_TWICE, **dict.fromkeys(names, "x"))
    for _ in range(levels):
        sentence = Message(_TWICE, **dict.fromkeys(names, sentence))
    return sentence


def test_a_sentence_that_doubles_at_every_level_stays_short() -> None:
    assert len(localized(_nested(4), "en")) > 2**4
    assert len(localized(_nested(14), "en")) < 4 * 32_768


def test_nor_does_what_a_caller_sends_as_one_grow_in_the_log() -> None:
    sent = json.loads(json.dumps(_nested(10).to_json()))
    assert len(json.dumps(expanded({"args": sent}))) < 16 * 32_768
