"""What Samba's configuration says of its shares: what each serves, and what it keeps where no open leads. Pure.

What a share keeps in ``user.*`` attributes is content nobody is asked about, because reading an attribute is no open;
what it keeps in files outside the area has the label of another place. Rules of this file: text is read as smbd reads
it, and what a setting leaves open (``%U`` in a path) counts as everything it may become. Unknown is not none: what
could not be read stands in :attr:`SambaSeen.unknown`. Sources: smb.conf(5), vfs_fruit(8), vfs_streams_depot(8).
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from agent.kernel.mountinfo import Device, Mount, resolve, siblings, within
from rules.text import Text
from rules.visible import visible

Settings = Mapping[str, str]
Sections = Mapping[str, Settings]
"""Settings by section, names as :func:`plain` makes them; of sections as :func:`section` does."""

_SYNONYMS = {"vfsobject": "vfsobjects", "directory": "path", "printok": "printable"}
_YES, _NO = ("yes", "true", "1", "on"), ("no", "false", "0", "off")
_INCLUDES = 16  # files within each other


class SambaShare(NamedTuple):
    """A share. ``keeps``: the settings by which it keeps content in attributes; ``depot``: where it keeps streams.

    ``forced``: the account as which everybody works there, if that is so. ``settable``: clients may set attributes.
    """

    name: str
    source: str
    paths: tuple[str, ...]
    keeps: tuple[str, ...] = ()
    depot: str = ""
    forced: str = ""
    settable: bool = False


class SambaElsewhere(NamedTuple):
    """An smbd that sees other paths than we do, and the filesystems it sees."""

    pid: int
    devices: frozenset[Device]


@dataclass(frozen=True, slots=True)
class SambaSeen:
    """What was seen of Samba on this host. ``unknown``: what may serve something, and could not be read."""

    shares: tuple[SambaShare, ...] = ()
    elsewhere: tuple[SambaElsewhere, ...] = ()
    unknown: tuple[Text, ...] = ()


class Objection(NamedTuple):
    """Why an area cannot be served as it is, and what to do."""

    text: Text
    hint: Text


@dataclass(slots=True)
class SambaText:
    """Configuration as it was read. ``open``: what is settled only when a client comes; ``other``: kept elsewhere."""

    sections: dict[str, dict[str, str]] = field(default_factory=lambda: {"global": {}})
    open: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    now: str = "global"


def plain(name: str) -> str:
    """Return the name of a setting as smbd compares it: in small letters, without blanks."""
    short = "".join(name.split()).lower()
    return _SYNONYMS.get(short, short)


def section(name: str) -> str:
    """Return the name of a section as smbd compares it."""
    return " ".join(name.lower().split())


def read(text: str, include: Callable[[str], str | None], into: SambaText | None = None, depth: int = 0) -> SambaText:
    """Read a configuration. *include* returns the text of another file, ``None`` when there is none."""
    found = into or SambaText()
    for raw in re.sub(r"\\\n[ \t]*", "", text).splitlines():
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            found.now = section(line[1:].partition("]")[0])
            found.sections.setdefault(found.now, {})
            continue
        name, _, value = line.partition("=")
        key, value = plain(name), value.strip()
        if key == "include" and value != "registry" and "%" not in value:
            more = include(value) if depth < _INCLUDES else ""
            if depth == _INCLUDES:
                found.other.append(line)
            elif more is not None:
                read(more, include, found, depth + 1)
        elif key in ("include", "configfile") and "%" in value:
            found.open.append(line)
        elif key in ("include", "configfile") or _of_registry(key, value):
            found.other.append(line)
        else:
            found.sections[found.now][key] = value
    return found


def _of_registry(key: str, value: str) -> bool:
    return (key == "configbackend" and value.lower() != "file") or (key == "registryshares" and value.lower() in _YES)


def shares(sections: Sections, source: str, homes: Iterable[str] = ()) -> Iterator[SambaShare]:
    """Yield every share that serves files. *homes* are where people's home directories are."""
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
    """Return the share *name* of *paths* with these *settings*, those of ``global`` included."""
    modules = {
        word.partition(":")[0].rpartition("/")[2] for word in re.split(r"[\s,]+", settings.get("vfsobjects", ""))
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
    """Whether a setting is on. One that is not there, or says neither, is *unless*."""
    said = settings.get(name, "").lower()
    return said not in _NO if unless else said in _YES


def _settled(path: str) -> str:
    """Return the part of *path* that is the same for everybody."""
    path = path.strip('"')
    before, found, _ = path.partition("%")
    return os.path.normpath((before.rpartition("/")[0] or "/") if found else path)


def serving(seen: SambaSeen, path: str, mounts: tuple[Mount, ...]) -> tuple[set[str], list[SambaShare]]:
    """Return every path that leads to an area at *path*, and the shares at, above or below one of them."""
    ways = {path}
    mount = resolve(path, mounts)
    if mount is not None and (inner := mount.inner(path)):
        ways |= {outer for row in siblings(mount, mounts) if (outer := row.outer(inner))}
    near = [(one, [(served, way) for served in one.paths for way in ways]) for one in seen.shares]
    return ways, [one for one, pairs in near if any(within(a, b) or within(b, a) for a, b in pairs)]


def objections(seen: SambaSeen, path: str, mounts: tuple[Mount, ...]) -> Iterator[Objection]:
    """Say what of *seen* cannot serve an area at *path*, by whichever mount it comes there."""
    ways, near = serving(seen, path, mounts)
    for one in near:
        name, source = visible(one.name), visible(one.source)
        if one.keeps:
            settings = ", ".join(f"`{visible(setting)}`" for setting in one.keeps)
            yield Objection(
                Text(
                    f"the Samba share `{name}` (`{source}`) serves it and keeps content of files in user.* attributes "
                    f"({settings}): reading an attribute is no open, and nobody is asked",
                    f"Samba 将其共享为 `{name}`（`{source}`），并把文件内容存入 user.* 属性（{settings}）："
                    "读取属性不算打开文件，不经询问",
                ),
                Text(
                    "keep streams by `vfs objects = streams_depot` or not at all, and restart smbd",
                    "命名流请改用 `vfs objects = streams_depot` 或停用，并重启 smbd",
                ),
            )
        if one.depot and not any(within(one.depot, way) for way in ways):
            depot = visible(one.depot)
            yield Objection(
                Text(
                    f"the Samba share `{name}` (`{source}`) serves it and keeps named streams of its files "
                    f"outside of it, in `{depot}`",
                    f"Samba 将其共享为 `{name}`（`{source}`），而其中文件的命名流存于目录之外的 `{depot}`",
                ),
                Text(
                    "share the directory itself, or set `streams_depot:directory` to one inside it, and restart smbd",
                    "请直接共享该目录，或将 `streams_depot:directory` 设为其中的目录，并重新启动 smbd",
                ),
            )


def unknowns(seen: SambaSeen, device: Device | None) -> Iterator[Text]:
    """Say what could not be read and may serve an area on the filesystem *device*."""
    yield from seen.unknown
    for one in seen.elsewhere:
        if device in one.devices:
            yield Text(
                f"smbd {one.pid} sees this filesystem from a root directory of its own",
                f"smbd {one.pid} 从其自身的根目录访问该文件系统",
            )


def settable(seen: SambaSeen, path: str, mounts: tuple[Mount, ...]) -> Iterator[Objection]:
    """Say where clients may set attributes of their own, as programs on this host may anyway."""
    for one in serving(seen, path, mounts)[1]:
        if one.settable:
            name, source = visible(one.name), visible(one.source)
            yield Objection(
                Text(
                    f"clients of the Samba share `{name}` (`{source}`) may keep up to 64 KiB in user.* attributes of a "
                    "file: reading these is no open, and nobody is asked",
                    f"Samba 共享 `{name}`（`{source}`）的客户端可在文件的 user.* 属性中存放至多 64 KiB："
                    "读取属性不算打开文件，不经询问",
                ),
                Text(
                    "set `ea support = no` for this share, and restart smbd: it is on unless it is set",
                    "请为该共享设置 `ea support = no` 并重启 smbd：未设置时默认开启",
                ),
            )


def forced(seen: SambaSeen, path: str, mounts: tuple[Mount, ...]) -> Iterator[Objection]:
    """Say where everybody is one account, whose rights and name they all have."""
    for one in serving(seen, path, mounts)[1]:
        if one.forced:
            name, source, account = visible(one.name), visible(one.source), visible(one.forced)
            yield Objection(
                Text(
                    f"the Samba share `{name}` (`{source}`) makes everybody `{account}`: with that account's rights, "
                    "and under its name in the log",
                    f"Samba 共享 `{name}`（`{source}`）使所有人成为 `{account}`：权限属该账号，日志中也是该账号",
                ),
                Text(
                    "take `force user` out, and restart smbd: each person has an account of their own",
                    "请去掉 `force user` 并重启 smbd：每人使用自己的账号",
                ),
            )
