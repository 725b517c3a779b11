"""Messages and texts: a code with parameters, or a text that exists in both languages.

Rules of this file: pure. A :class:`Message` holds no sentence. The catalogues of ``agent.language`` render it where it
is shown, in the language of the reader, and make foreign values visible there. A :class:`Text` was written by a site or
a rule pack in both languages, such as the title of a record. Both cross a socket as JSON.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

Language = Literal["en", "zh"]


class Text(NamedTuple):
    """The words of a site or a pack, in both languages."""

    en: str
    zh: str

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON; :func:`from_json` reads it back."""
        return {"en": self.en, "zh": self.zh}


class Message:
    """A code of the catalogues, ``domain.what-it-says``, and the parameters of its sentence.

    A parameter is a text, a number, another sentence, or several of them, which become a list. The parameter ``count``
    chooses between singular and plural. Any other object is stored as ``str`` writes it.
    """

    __slots__ = ("code", "parameters")

    code: str
    parameters: Mapping[str, "Parameter"]

    def __init__(self, code: str, /, **parameters: object) -> None:
        self.code = code
        self.parameters = {name: _parameter(raw) for name, raw in parameters.items()}

    def about(self, **parameters: object) -> "Message":
        """Return the same code with *parameters* added."""
        return Message(self.code, **{**self.parameters, **parameters})

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON, ``{"code", "parameters"}``; :func:`from_json` reads it back."""
        return {"code": self.code, "parameters": {name: _json(part) for name, part in self.parameters.items()}}

    def __eq__(self, message: object) -> bool:
        if not isinstance(message, Message):
            return NotImplemented
        return (self.code, self.parameters) == (message.code, message.parameters)

    def __hash__(self) -> int:
        return hash((self.code, tuple(sorted(self.parameters))))

    def __repr__(self) -> str:
        return f"Message({', '.join([repr(self.code), *(f'{k}={v!r}' for k, v in self.parameters.items())])})"


NOTHING: Final = Text("", "")

Sentence: TypeAlias = Message | Text
Parameter: TypeAlias = "str | int | float | Message | Text | tuple[Parameter, ...]"


def as_message(sentence: Sentence) -> Message:
    """Return *sentence* as a message, for sockets that carry only messages."""
    return sentence if isinstance(sentence, Message) else Message("common.given", text=sentence)


def foreign(text: str) -> Text:
    """Return foreign *text*, the same in both languages."""
    return Text(text, text)


def labelled(label: object, text: object) -> Message:
    """Return ``label: text``."""
    return Message("common.labelled", label=label, text=text)


def series(sentences: Iterable[Sentence]) -> Sentence:
    """Return *sentences* with a semicolon between each two; :data:`NOTHING` of none."""
    return _joined("common.then", sentences)


def either(sentences: Iterable[Sentence]) -> Sentence:
    """Return *sentences*, of which one is sufficient; :data:`NOTHING` of none."""
    return _joined("common.either", sentences)


def dotted(sentences: Iterable[Sentence]) -> Sentence:
    """Return *sentences* with a middle dot between each two; :data:`NOTHING` of none."""
    return _joined("common.dotted", sentences)


def spaced(sentences: Iterable[Sentence]) -> Sentence:
    """Return *sentences* with a space between each two; :data:`NOTHING` of none."""
    return _joined("common.beside", sentences)


def from_json(encoded: object) -> Sentence:
    """Read what ``to_json`` of either wrote; anything else is foreign, and the same in both languages.

    Where both sentences stand beside the code, they are what was said: the catalogue may have changed since.
    """
    if isinstance(encoded, Mapping):
        if {"en", "zh"} <= encoded.keys():
            return Text(str(encoded["en"]), str(encoded["zh"]))
        if isinstance(parameters := encoded.get("parameters"), Mapping):
            return Message(str(encoded.get("code")), **{str(name): _read(part) for name, part in parameters.items()})
    return foreign(str(encoded))


def _joined(code: str, sentences: Iterable[Sentence]) -> Sentence:
    """Join by pairs: a thousand sentences are nested ten deep, not a thousand."""
    parts = [*sentences] or [NOTHING]
    while len(parts) > 1:
        pairs = [Message(code, text=text, more=more) for text, more in zip(parts[::2], parts[1::2], strict=False)]
        parts = [*pairs, *parts[2 * len(pairs) :]]
    return parts[0]


def _parameter(raw: object) -> Parameter:
    if isinstance(raw, list | tuple) and not isinstance(raw, Text):
        return tuple(map(_parameter, raw))
    if isinstance(raw, Message | Text) or type(raw) in (str, int, float):
        return raw  # type: ignore[return-value]
    return "–" if raw is None else str(raw)


def _json(parameter: Parameter) -> object:
    if isinstance(parameter, Message | Text):
        return parameter.to_json()
    return [_json(part) for part in parameter] if isinstance(parameter, tuple) else parameter


def _read(encoded: object) -> object:
    if isinstance(encoded, list):
        return [_read(part) for part in encoded]
    return from_json(encoded) if isinstance(encoded, Mapping) else encoded
