"""One language of a sentence, for tests: of an object, or of what crossed a socket or stands in the log."""

from collections.abc import Mapping
from typing import Any

from agent.language.catalogue import localized
from rules.text import Sentence, from_json


def en(sentence: Sentence | Mapping[str, Any]) -> str:
    return localized(from_json(sentence) if isinstance(sentence, Mapping) else sentence, "en")


def zh(sentence: Sentence | Mapping[str, Any]) -> str:
    return localized(from_json(sentence) if isinstance(sentence, Mapping) else sentence, "zh")
