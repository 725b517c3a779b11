"""Samba's shares from its configuration: the paths of each, and the content that it stores outside of files. Pure.

Content that a share stores in ``user.*`` attributes is not checked, because reading an attribute is not an open;
content in files outside the area has the label of another place. Rules of this file: text is read as smbd reads it, and
a variable setting (``%U`` in a path) counts as all its possible values. Unknown is not the same as none: unreadable
parts are in :attr:`SambaSeen.unknown`. Sources: smb.conf(5), vfs_fruit(8), vfs_streams_depot(8).
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.kernel.mountinfo import Device, Mount, resolve, siblings, within
from rules.text import Message, Sentence
from rules.visible import visible

Settings = Mapping[str, str]
Sections = Mapping[str, Settings]
"""Settings by section; their names are normalised by :func:`plain`, those of sections by :func:`section`."""

_SYNONYMS = {"vfsobject": "vfsobjects", "directory": "path", "printok": "printable"}
_YES, _NO = ("yes", "true", "1", "on"), ("no", "false", "0", "off")
_INCLUDES = 16  # the greatest depth of includes


class SambaShare(NamedTuple):
    """A share. ``keeps``: the settings by which it stores content in attributes; ``depot``: its directory of streams.

    ``forced``: the account to which all users are mapped, if any. ``settable``: clients may set attributes.
    """

    name: str
    source: str
    paths: tuple[str, ...]
    keeps: tuple[str, ...] = ()
    depot: str = ""
    forced: str = ""
    settable: bool = False


class SambaElsewhere(NamedTuple):
    """An smbd with another root directory, and the filesystems visible to it."""

    pid: int
    devices: frozenset[Device]


@dataclass(frozen=True, slots=True)
class SambaSeen:
    """The shares of Samba on this host. ``unknown``: configurations that could not be read and may have shares."""

    shares: tuple[SambaShare, ...] = ()
    elsewhere: tuple[SambaElsewhere, ...] = ()
    unknown: tuple[Sentence, ...] = ()


class Objection(NamedTuple):
    """The reason why an area must not be served as it is, and the remedy."""

    text: Sentence
    hint: Sentence


@dataclass(slots=True)
class SambaText:
    """A parsed configuration. ``open``: settings that depend on the client; ``unresolved``: settings kept elsewhere."""

    sections: dict[str, dict[str, str]] = field(default_factory=lambda: {"global": {}})
    open: list[str] = field(default_factory=list)
    unresolved: list[str] = field(default_factory=list)
    now: str = "global"


def plain(name: str) -> str:
    """Return the name of a setting as smbd compares it: in lower case, without blanks."""
    short = "".join(name.split()).lower()
    return _SYNONYMS.get(short, short)


def section(name: str) -> str:
    """Return the name of a section as smbd compares it."""
    return " ".join(name.lower().split())


def read(text: str, include: Callable[[str], str | None], into: SambaText | None = None, depth: int = 0) -> SambaText:
    """Return a parsed configuration. *include* returns the text of another file, ``None`` when there is none."""
    parsed = into or SambaText()
    for raw in re.sub(r"\\\n[ \t]*", "", text).splitlines():
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            parsed.now = section(line[1:].partition("]")[0])
            parsed.sections.setdefault(parsed.now, {})
            continue
        name, _, setting = line.partition("=")
        key, setting = plain(name), setting.strip()
        if key == "include" and setting != "registry" and "%" not in setting:
            more = include(setting) if depth < _INCLUDES else ""
            if depth == _INCLUDES:
                parsed.unresolved.append(line)
            elif more is not None:
                read(more, include, parsed, depth + 1)
        elif key in ("include", "configfile") and "%" in setting:
            parsed.open.append(line)
        elif key in ("include", "configfile") or _of_registry(key, setting):
            parsed.unresolved.append(line)
        else:
            parsed.sections[parsed.now][key] = setting
    return parsed


def _of_registry(key: str, setting: str) -> bool:
    return (key == "configbackend" and setting.lower() != "file") or (
        key == "registryshares" and setting.lower() in _YES
    )


def shares(sections: Sections, source: str, homes: Iterable[str] = ()) -> Iterator[SambaShare]:
    """Yield every share that serves files. *homes* are the parents of home directories."""
    general = sections.get("global", {})
    for name, own in sections.items():
        copied = sections.get(section(own.get("copy", "")), {})
        settings = {**general, **copied, **own}
        if name == "global" or _is(settings, "printable") or not _is(settings, "available", unless=True):
            continue
        if settings.get("path"):
            yield share(name, source, (settings["path"],), settings)
        elif name == "homes":
            yield share(name, source, tuple(homes), settings)


def share(name: str, source: str, paths: Sequence[str], settings: Settings) -> SambaShare:
    """Return the share *name* of *paths* with *settings*, those of ``global`` included."""
    modules = {
        module.partition(":")[0].rpartition("/")[2] for module in re.split(r"[\s,]+", settings.get("vfsobjects", ""))
    }
    keeps = []
    if "streams_xattr" in modules:
        keeps.append("vfs objects = streams_xattr")
    if "fruit" in modules:
        if (metadata := settings.get("fruit:metadata", "netatalk")) != "stream":
            keeps.append(f"fruit:metadata = {metadata}")
        if settings.get("fruit:resource", "file") == "xattr":
            keeps.append("fruit:resource = xattr")
    served = tuple(_settled(path) for path in paths)
    depot = ""
    if "streams_depot" in modules:
        depot = _settled(
            settings.get("streams_depot:directory") or os.path.join(served[0] if served else "/", ".streams")
        )
    if _is(settings, "widelinks"):
        served = ("/",)
    settable = _is(settings, "easupport", unless=True)
    return SambaShare(name, source, served, tuple(keeps), depot, settings.get("forceuser", ""), settable)


def _is(settings: Settings, name: str, *, unless: bool = False) -> bool:
    """Return whether a setting is on; *unless*: the result when it is missing or neither yes nor no."""
    setting = settings.get(name, "").lower()
    return setting not in _NO if unless else setting in _YES


def _settled(path: str) -> str:
    """Return the part of *path* that is the same for all users."""
    path = path.strip('"')
    before, variable, _ = path.partition("%")
    return os.path.normpath((before.rpartition("/")[0] or "/") if variable else path)


def serving(samba: SambaSeen, path: str, mounts: tuple[Mount, ...]) -> tuple[set[str], list[SambaShare]]:
    """Return every path to an area at *path*, and the shares at, above or below one of them."""
    area_paths = {path}
    mount = resolve(path, mounts)
    if mount is not None and (inner := mount.inner(path)):
        area_paths |= {outer for row in siblings(mount, mounts) if (outer := row.outer(inner))}
    near = [
        (near_by, [(served, area_path) for served in near_by.paths for area_path in area_paths])
        for near_by in samba.shares
    ]
    return area_paths, [near_by for near_by, pairs in near if any(within(a, b) or within(b, a) for a, b in pairs)]


def objections(samba: SambaSeen, path: str, mounts: tuple[Mount, ...]) -> Iterator[Objection]:
    """Yield the objections to shares that serve an area at *path*, through any mount."""
    area_paths, near = serving(samba, path, mounts)
    for samba_share in near:
        name, source = visible(samba_share.name), visible(samba_share.source)
        if samba_share.keeps:
            settings = ", ".join(f"`{visible(setting)}`" for setting in samba_share.keeps)
            yield Objection(
                Message(
                    "volumes.samba-share-stores-content-in-attributes", name=name, source=source, settings=settings
                ),
                Message("volumes.use-streams-depot"),
            )
        if samba_share.depot and not any(within(samba_share.depot, area_path) for area_path in area_paths):
            depot = visible(samba_share.depot)
            yield Objection(
                Message("volumes.samba-share-stores-streams-outside", name=name, source=source, depot=depot),
                Message("volumes.set-streams-depot-inside"),
            )


def unknowns(samba: SambaSeen, device: Device | None) -> Iterator[Sentence]:
    """Yield what could not be read and may serve an area on the filesystem *device*."""
    yield from samba.unknown
    for server in samba.elsewhere:
        if device in server.devices:
            yield Message("volumes.smbd-in-other-root", pid=server.pid)


def settable(samba: SambaSeen, path: str, mounts: tuple[Mount, ...]) -> Iterator[Objection]:
    """Yield the shares whose clients may set attributes, as programs on this host can."""
    for samba_share in serving(samba, path, mounts)[1]:
        if samba_share.settable:
            name, source = visible(samba_share.name), visible(samba_share.source)
            yield Objection(
                Message("volumes.samba-share-allows-attributes", name=name, source=source),
                Message("volumes.turn-off-ea-support"),
            )


def forced(samba: SambaSeen, path: str, mounts: tuple[Mount, ...]) -> Iterator[Objection]:
    """Yield the shares that map all users to one account, with its rights and name."""
    for samba_share in serving(samba, path, mounts)[1]:
        if samba_share.forced:
            name, source, account = visible(samba_share.name), visible(samba_share.source), visible(samba_share.forced)
            yield Objection(
                Message("volumes.samba-share-forces-user", name=name, source=source, account=account),
                Message("volumes.remove-force-user"),
            )
