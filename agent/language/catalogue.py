"""Catalogues: sentences from codes in English and Chinese, the only place where a parameter becomes text.

Rules of this file: foreign text enters a sentence through ``visible`` here and nowhere else (contract C9). A code
missing from the catalogue is shown as it is, with its parameters; ``tests/language`` fails on one. A catalogue
is one of GNU gettext (``en/*.po`` and ``zh/*.po``, where the code is the ``msgid``), compiled by ``hatch_build.py``.
The parameter ``count`` chooses between singular and plural.
"""

import gettext
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from agent.errors import FatalError
from rules.text import Language, Message, Parameter, Sentence, Text, from_json
from rules.visible import visible

FOLDER: Final = Path(__file__).parent
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")
_DEEPEST: Final = 64  # deeper than any document of ours, and than the log writes
_LONGEST: Final = 32_768  # characters of a sentence inside another one
_LIST: Final = {"en": ", ", "zh": "、"}


def localized(sentence: Sentence, language: Language) -> str:
    """Return *sentence* in *language*."""
    if isinstance(sentence, Text):
        return visible(sentence.zh if language == "zh" else sentence.en)
    parameters = {name: _rendered(parameter, language) for name, parameter in sentence.parameters.items()}
    try:
        return _template(_catalogue(language), sentence).format(**parameters)
    except (KeyError, IndexError, ValueError, OverflowError):
        values = (f"{visible(name)}={parameter}" for name, parameter in parameters.items())
        return " ".join([visible(sentence.code), *values])


def own_words(language: Language) -> gettext.NullTranslations:
    """Return the catalogue itself, for a library that uses gettext (argparse)."""
    return _catalogue(language)


def both(sentence: Sentence) -> Text:
    """Return *sentence* in both languages: for a reader without the catalogues."""
    return Text(localized(sentence, "en"), localized(sentence, "zh"))


def spoken(sentence: Sentence) -> dict[str, Any]:
    """Return *sentence* as JSON for readers without the catalogues: its ``to_json`` with ``en`` and ``zh``."""
    return sentence.to_json() | both(sentence).to_json()


def expanded(document: Any, deepest: int = _DEEPEST) -> Any:
    """Return the JSON *document* with every sentence in the form of :func:`spoken`, down to *deepest* levels.

    A caller of the agent may send any document: what is nested without end is left as it is.
    """
    if isinstance(document, Message | Text):
        return spoken(document)
    if not deepest:
        return document
    if isinstance(document, Mapping):
        if document.keys() == {"code", "parameters"} and isinstance(document["parameters"], Mapping):
            with suppress(RecursionError):
                return dict(document) | both(from_json(document)).to_json()
        if {"en", "zh"} <= document.keys():
            return document
        return {name: expanded(part, deepest - 1) for name, part in document.items()}
    return [expanded(part, deepest - 1) for part in document] if isinstance(document, list | tuple) else document


def _rendered(parameter: Parameter, language: Language) -> str | int | float:
    match parameter:
        case str():
            return visible(parameter)
        case Message() | Text():
            # Some sentences name a parameter twice: nested ones from outside would double at every level.
            text = localized(parameter, language)
            return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
        case tuple():
            return _LIST[language].join(str(_rendered(part, language)) for part in parameter)
    return parameter


def _template(catalogue: gettext.NullTranslations, sentence: Message) -> str:
    code = sentence.code
    if isinstance(count := sentence.parameters.get("count"), int):
        template = catalogue.ngettext(code, code, count)
        if template != code:
            return template
    template = catalogue.gettext(code)
    if template == code:
        raise KeyError(code)
    return template


@cache
def _catalogue(language: Language) -> gettext.NullTranslations:
    compiled = FOLDER / f"{language}.mo"
    try:
        with compiled.open("rb") as file:
            return gettext.GNUTranslations(file)
    except FileNotFoundError:
        raise FatalError(Text(f"`{compiled}` is missing", f"缺少 `{compiled}`")) from None
