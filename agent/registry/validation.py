"""Validation of identifiers and free text, and the refusals for unknown and taken names.

Rules of this file: a refusal states the reason and a remedy. Identifiers of the site (people, areas, rooms, services,
badges) must be easy to read and type; free text (names, reasons, notes) is stored exactly as received, control bytes
included.
"""

from agent.errors import RefusedError
from rules.text import Message, Sentence
from rules.visible import visible

_NAME_LIMIT = 128  # characters of an identifier
_WORDS_LIMIT = 2_000  # characters of free text: an act that carries it must fit one line of the log


def identifier(name: str, term: Sentence) -> str:
    """Return *name* if it is an identifier: 1 to 128 visible characters, no blanks around, no leading - or /.

    Two names that look alike on a screen (invisible or bidirectional characters) would mislead the officer.
    """
    plain = bool(name) and name == name.strip() and visible(name) == name and len(name) <= _NAME_LIMIT
    if plain and name[0] not in "-/":
        return name
    raise RefusedError(
        Message("registry.invalid-identifier", name=name, term=term),
        Message("registry.identifier-format", name_limit=_NAME_LIMIT),
    )


def free_text(text: str, term: Sentence, *, required: bool = False) -> str:
    """Return free text unchanged.

    Raises :class:`RefusedError` when it is too long, blank though required, or not valid text.
    """
    if required and not text.strip():
        raise RefusedError(
            Message("registry.text-missing", term=term),
            Message("registry.write-text", term=term),
        )
    if len(text) > _WORDS_LIMIT:
        raise RefusedError(
            Message("registry.text-too-long", term=term, count=len(text)),
            Message("registry.text-length", limit=_WORDS_LIMIT),
        )
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RefusedError(
            Message("registry.invalid-text", term=term, text=text),
            Message("registry.use-utf-8"),
        ) from None
    return text


def unknown(term: Sentence, name: str, command: str) -> RefusedError:
    """Return the error for a name that is not registered; *command* lists the registered ones."""
    shown_name = visible(name)
    return RefusedError(
        Message("registry.not-found", term=term, name=shown_name),
        Message("registry.see-command", command=command),
    )


def taken(term: Sentence, name: str, owner: str, hint: Sentence) -> RefusedError:
    """Return the error for a name that is already registered, and belongs to *owner* if given."""
    if owner:
        return RefusedError(Message("registry.already-taken", term=term, name=name, owner=owner), hint)
    return RefusedError(Message("registry.already-exists", term=term, name=name), hint)


def without_case(person: str) -> RefusedError:
    """Return the refusal for a registered person who has no offboarding case."""
    shown_person = visible(person)
    return RefusedError(
        Message("registry.no-offboarding-case", person=shown_person),
        Message("registry.see-shoumi-case-open", person=shown_person),
    )
