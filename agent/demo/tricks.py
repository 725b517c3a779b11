"""Other paths to the same file, each tried by a real process in a child that ends with it.

Rules of this file: a trick leaves nothing behind: mounts are made in a private mount namespace that dies with the
child, and the maker of a link removes it. Sources: unshare(2), mount_namespaces(7), user_namespaces(7), mount(2).
"""

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agent.demo.actors import ActorIdentity, become, reading

_CLONE_NEWNS, _CLONE_NEWUSER = 0x20000, 0x10000000
_MS_BIND, _MS_REC, _MS_PRIVATE = 4096, 16384, 1 << 18

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)


class UnavailableError(Exception):
    """This host does not support the attempt."""


def in_bind_mount(document: Path, elsewhere: Path, reader: ActorIdentity) -> Callable[[], Any]:
    """Return an act for root: mount the document's directory at *elsewhere*, then read it there as *reader*."""

    def act() -> Any:
        _unshare(_CLONE_NEWNS)
        _mount("none", "/", _MS_REC | _MS_PRIVATE)
        _mount(document.parent, elsewhere, _MS_BIND)
        become(reader)
        return reading(elsewhere / document.name)()

    return act


def in_namespace(document: Path, elsewhere: Path) -> Callable[[], Any]:
    """Return an act for any user: read the document through a bind mount in their own user and mount namespace."""

    def act() -> Any:
        try:
            _unshare(_CLONE_NEWUSER | _CLONE_NEWNS)
            _mount(document.parent, elsewhere, _MS_BIND)
        except OSError as error:  # disabled, or a security module removes the capabilities
            raise UnavailableError from error
        return reading(elsewhere / document.name)()

    return act


def linking(document: Path, link: Path) -> Callable[[], Any]:
    """Return an act for the owner of *document*: give it a second name."""
    return lambda: os.link(document, link)


def _unshare(flags: int) -> None:
    if _libc.unshare(flags):
        _raise("unshare")


def _mount(source: str | Path, target: str | Path, flags: int) -> None:
    if _libc.mount(os.fsencode(source), os.fsencode(target), None, flags, None):
        _raise(str(target))


def _raise(subject: str) -> None:
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number), subject)
