"""POSIX ACLs as the kernel keeps them in ``system.posix_acl_access`` and ``system.posix_acl_default``.

Rules of this file: pure. ``render(parse(raw)) == raw`` for every value the kernel gives. Denying adds an empty entry
for a user, which wins over every group and over others (acl(5), "ACCESS CHECK ALGORITHM"), and changes nothing for
other users. The owner is not subject to it: the caller handles that.

Source: ``include/uapi/linux/posix_acl_xattr.h``: little-endian version 2, then (tag, permissions, id), sorted.
"""

import struct
from collections.abc import Collection, Iterable
from typing import NamedTuple

ACCESS = "system.posix_acl_access"
DEFAULT = "system.posix_acl_default"

USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
UNDEFINED = 0xFFFFFFFF  # the id of an entry whose tag needs none

_TAGS = frozenset((USER_OBJ, USER, GROUP_OBJ, GROUP, MASK, OTHER))
_VERSION = 2
_HEAD = struct.Struct("<I")
_ENTRY = struct.Struct("<HHI")


class AclEntry(NamedTuple):
    """One entry: its user or group (*tag*, *id*) and its permissions: 4 read, 2 write, 1 execute or search."""

    tag: int
    perm: int
    id: int = UNDEFINED


Acl = tuple[AclEntry, ...]


def parse(raw: bytes) -> Acl:
    """Read an attribute. Raises ``ValueError`` when it is not one."""
    body = raw[_HEAD.size :]
    if len(raw) < _HEAD.size or _HEAD.unpack_from(raw)[0] != _VERSION or len(body) % _ENTRY.size:
        raise ValueError("not an ACL of version 2")
    acl = tuple(AclEntry(*fields) for fields in _ENTRY.iter_unpack(body))
    tags = [entry.tag for entry in acl]
    once = (USER_OBJ, GROUP_OBJ, OTHER)
    if any(tags.count(tag) != 1 for tag in once) or tags.count(MASK) > 1 or not set(tags) <= _TAGS:
        raise ValueError("an entry is missing, twice there or unknown")
    return acl


def render(acl: Iterable[AclEntry]) -> bytes:
    """Write an attribute; the kernel wants the entries in this order."""
    return _HEAD.pack(_VERSION) + b"".join(_ENTRY.pack(*entry) for entry in sorted(acl, key=_order))


def of_mode(mode: int) -> Acl:
    """Return the ACL that a file without one has by its permission bits."""
    return (AclEntry(USER_OBJ, mode >> 6 & 7), AclEntry(GROUP_OBJ, mode >> 3 & 7), AclEntry(OTHER, mode & 7))


def deny(acl: Acl, uids: Collection[int]) -> Acl:
    """Return *acl* with no permission for *uids*; the permissions of other users are unchanged."""
    entries = [entry for entry in acl if entry.tag != USER or entry.id not in uids]
    if not any(entry.tag == MASK for entry in entries):  # named entries need one; this one takes nothing away
        entries.append(AclEntry(MASK, next(entry.perm for entry in entries if entry.tag == GROUP_OBJ)))
    return tuple(sorted([*entries, *(AclEntry(USER, 0, uid) for uid in set(uids))], key=_order))


def undo(acl: Acl, uids: Collection[int]) -> Acl:
    """Return *acl* without the empty entries of *uids*; without named entries the mask goes into the group's bits."""
    entries = [entry for entry in acl if entry.tag != USER or entry.id not in uids or entry.perm]
    if any(entry.tag in (USER, GROUP) for entry in entries):
        return tuple(entries)
    mask = next((entry.perm for entry in entries if entry.tag == MASK), 7)
    plain = (e._replace(perm=e.perm & mask) if e.tag == GROUP_OBJ else e for e in entries if e.tag != MASK)
    return tuple(plain)


def denies(acl: Acl, uids: Collection[int]) -> bool:
    """Whether every one of *uids* has an entry, and an empty one."""
    permissions = {entry.id: entry.perm for entry in acl if entry.tag == USER}
    return all(permissions.get(uid) == 0 for uid in uids)


def _order(entry: AclEntry) -> tuple[int, int]:
    return entry.tag, entry.id
