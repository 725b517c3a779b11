"""Requirements of the live demo that this host or user lacks, found by trying them.

Rules of this file: each requirement is tried and undone at once; existing objects are not touched. Each lack comes with
its remedy.
"""

import contextlib
import os
from typing import NamedTuple

from agent.demo.actors import ActorIdentity, attempt
from agent.errors import RefusedError
from agent.simulator import volume_image
from agent.volumes.host_abilities import abilities
from rules.text import Message, Sentence

_SMALL = 4 << 20
_NOBODY = 65534
_NOT_ROOT = Message("demo.root-required")
_LOGIN_FIXED = Message("demo.cannot-set-login-uid")
_LOGIN_HINT = Message("demo.run-outside-login")


class Lack(NamedTuple):
    """One missing requirement and its remedy."""

    text: Sentence
    hint: Sentence | None


def lacking() -> list[Lack]:
    """Return the missing requirements; an empty list means that the live demo can run."""
    if os.geteuid() != 0:
        return [Lack(_NOT_ROOT, Message("demo.sudo-make-demo"))]
    lacks = [Lack(ability.detail, ability.remedy) for ability in abilities() if ability.needed and not ability.ok]
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(volume_image.volume("ext4", _SMALL))
        except RefusedError as refused:
            lacks.append(Lack(refused.text, refused.hint))
    if attempt(ActorIdentity(_NOBODY, _NOBODY), lambda: 0).error:
        lacks.append(Lack(_LOGIN_FIXED, _LOGIN_HINT))
    return lacks
