"""Linux uids: the rules for assigning one to a subject.

Rules of this file: a uid identifies one subject. It belongs to a person or to a service, never to both: a person who
may run the executable of a service under their own uid would have the rights of the service.
"""

from agent.errors import RefusedError
from rules.text import Message, Sentence

_SHARED = frozenset((65534, 4294967295))  # nobody (also every unmapped uid), and "no uid" of setresuid(2)


def check_uid(uid: int) -> None:
    """Raise :class:`agent.errors.RefusedError` for a uid that does not identify one subject."""
    if not 0 <= uid <= 0xFFFFFFFF or uid in _SHARED:
        raise RefusedError(
            Message("registry.uid-not-specific", uid=uid),
            Message("registry.one-uid-per-subject"),
        )


def already_of(uid: int, owner: str, term: Sentence) -> RefusedError:
    """Return the refusal of a uid that belongs to *owner*, a subject of the other kind."""
    return RefusedError(
        Message("registry.uid-taken", uid=uid, term=term, owner=owner),
        Message("registry.uid-one-subject"),
    )
