"""Looking at what Samba on this host shares, by its own word: ``testparm``, of every configuration that may be in use.

Rules of this file: it reads, and starts nothing but ``testparm``, which knows the defaults, what is included and what
the registry has; where it is not installed, or does not answer, the files are read here. Everything is bounded in
number, size and time. A process counts as a server of root's alone, so that nobody else can make us read anything.
Sources: smbd(8), testparm(1), net(8) for user shares, proc(5).
"""

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from agent.disks import tools
from agent.errors import RefusedError
from agent.kernel import mountinfo
from agent.kernel.mountinfo import MountTable
from agent.volumes.samba_shares import (
    SambaElsewhere,
    SambaSeen,
    SambaShare,
    SambaText,
    Sections,
    plain,
    read,
    section,
    share,
    shares,
)
from rules.text import Text
from rules.visible import visible

DEFAULTS = ("/etc/samba/smb.conf", "/usr/local/samba/etc/smb.conf")
_USER_SHARES = "/var/lib/samba/usershares"
_LARGEST, _MOST, _MOST_USER_SHARES, _SECONDS = 1 << 20, 8, 500, 5.0
_WITH_VALUE = "dlnOpP"  # short options of smbd that take one, beside -s


class Served(NamedTuple):
    """A configuration, and what the command line sets besides. Without ``file`` it is the one smbd was built with."""

    file: str
    options: tuple[str, ...] = ()


class _Server(NamedTuple):
    pid: int
    served: Served
    elsewhere: SambaElsewhere | None


def look(homes: Iterable[str], mounts: MountTable, defaults: Iterable[str] = DEFAULTS) -> SambaSeen:
    """Return what Samba shares on this host. *homes* are where people's home directories are; never raises."""
    places, standard = tuple(homes), [file for file in defaults if os.path.exists(file)]
    asked: dict[Served, int] = {Served(file): 0 for file in standard}  # the pid of who uses it, 0: nobody has to
    found: list[SambaShare] = []
    elsewhere: list[SambaElsewhere] = []
    unknown: list[Text] = []
    for server in _servers():
        if server.elsewhere is not None:
            elsewhere.append(server.elsewhere)
            continue
        files = [server.served.file] if server.served.file else standard
        for file in files:
            asked.setdefault(Served(file, server.served.options), server.pid)
        if not files:
            unknown.append(
                Text(f"smbd {server.pid} does not say what it reads", f"smbd {server.pid} 未说明其读取的配置文件")
            )
    if len(asked) > _MOST:
        unknown.append(Text(f"more than {_MOST} configurations of Samba", f"Samba 配置文件超过 {_MOST} 个"))
    for served, pid in list(asked.items())[:_MOST]:
        got, missing = _one(served, places)
        if missing and pid and not os.path.exists(f"/proc/{pid}"):
            continue  # the server has ended meanwhile, and its configuration with it
        found += got
        said = visible(served.file)
        unknown += [Text(f"`{said}`: {why.en}", f"`{said}`：{why.zh}") for why in missing]
    return SambaSeen(tuple(_real(one, mounts) for one in found), tuple(elsewhere), tuple(unknown))


def _one(served: Served, homes: tuple[str, ...]) -> tuple[list[SambaShare], list[Text]]:
    text = _text(served.file)
    if text is None:
        return [], [Text("cannot be read", "无法读取")]
    here = read(text, _text)
    unknown = [
        Text(f"`{visible(line)}` is settled by each client", f"`{visible(line)}` 因客户端而异") for line in here.open
    ]
    sections: Sections | None = _asked(served)
    if sections is None:
        sections = _with(here, served.options)
        unknown += [
            Text(
                f"`{visible(line)}` leads elsewhere, and testparm does not say where",
                f"`{visible(line)}` 指向他处，且 testparm 未给出结果",
            )
            for line in here.other
        ]
    found = list(shares(sections, served.file, homes))
    try:
        found += _user_shares(sections, served.file)
    except OSError as error:
        why = visible(error.strerror or str(error))
        unknown.append(Text(f"the shares of users cannot be read: {why}", f"无法读取用户共享：{why}"))
    return found, unknown


def _asked(served: Served) -> Sections | None:
    """Return what ``testparm`` says, ``None`` when it does not."""
    words = [f"--option={option}" for option in served.options]
    with contextlib.suppress(RefusedError):
        said = tools.run("testparm", "-s", "-v", *words, served.file, seconds=_SECONDS, fine=(0, 1))
        if "\n[global]\n" in said and len(said) <= 4 * _LARGEST:
            found = read(said, lambda _file: None).sections
            for settings in found.values():
                settings.pop("copy", None)  # done already: what is not there now has its default, whatever was copied
            return found if "easupport" in found["global"] else None
    return None


def _with(found: SambaText, options: Iterable[str]) -> Sections:
    for option in options:
        name, _, value = option.partition("=")
        for settings in found.sections.values():
            settings[plain(name)] = value.strip()
    return found.sections


def _user_shares(sections: Sections, source: str) -> Iterator[SambaShare]:
    """Yield the shares that users made by ``net usershare add``. Raises ``OSError``."""
    general = sections["global"]
    if general.get("usersharemaxshares") == "0":
        return
    folder = general.get("usersharepath") or _USER_SHARES
    template: Mapping[str, str] = sections.get(section(general.get("usersharetemplateshare", "")), {})
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return
    if len(names) > _MOST_USER_SHARES:
        raise OSError(0, f"more than {_MOST_USER_SHARES}")
    for name in names:
        for line in (_text(os.path.join(folder, name), 1 << 16) or "").splitlines():
            if line.startswith("path="):
                yield share(name, source, (line[5:],), {**general, **template})


def _text(path: str, largest: int = _LARGEST) -> str | None:
    """Return the text of a plain file, ``None`` when it is not to be had or too large."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        data = file.read(largest + 1)
    return None if len(data) > largest else os.fsdecode(data)


def _servers() -> Iterator[_Server]:
    """Yield the running servers: started by root, and of that name."""
    ours = os.stat("/")
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        here = Path(f"/proc/{pid}")
        with contextlib.suppress(OSError, ValueError):
            if os.path.basename(os.readlink(here / "exe").removesuffix(" (deleted)")) != "smbd":
                continue
            uids = (here / "status").read_bytes().partition(b"\nUid:")[2].split(None, 4)
            if b"0" not in (uids[0], uids[2]):  # its real and its saved one
                continue
            root = os.stat(here / "root")
            if (root.st_dev, root.st_ino) != (ours.st_dev, ours.st_ino):
                rows = mountinfo.parse((here / "mountinfo").read_bytes())
                yield _Server(pid, Served(""), SambaElsewhere(pid, frozenset(row.device for row in rows)))
                continue
            said = served(_words(here / "cmdline"), _words(here / "environ"))
            file = os.path.join(os.readlink(here / "cwd"), said.file) if said.file else ""
            yield _Server(pid, Served(file, said.options), None)


def _words(path: Path) -> list[str]:
    with path.open("rb") as file:
        return [os.fsdecode(word) for word in file.read(_LARGEST).split(b"\0")]


def served(words: Iterable[str], environment: Iterable[str] = ()) -> Served:
    """Return what an smbd of this command line and environment reads."""
    file = next((word.partition("=")[2] for word in environment if word.startswith("SMB_CONF_PATH=")), "")
    options: list[str] = []
    rest = iter(list(words)[1:])
    for word in rest:
        name, found, value = word.partition("=")
        if name in ("--configfile", "--option"):
            value = value if found else next(rest, "")
            if name == "--option":
                options.append(value)
            else:
                file = value
        elif word.startswith("-") and not word.startswith("--"):
            letters = word[1:]
            at = next((number for number, letter in enumerate(letters) if letter in _WITH_VALUE + "s"), None)
            if at is not None:
                value = letters[at + 1 :] or next(rest, "")
                file = value if letters[at] == "s" else file
    return Served(file, tuple(options))


def _real(one: SambaShare, mounts: MountTable) -> SambaShare:
    """Add where the paths of a share really lead; a path on a filesystem that may not answer is not looked up."""

    def real(path: str) -> str:
        mount = mountinfo.resolve(path, mounts)
        local = mount is not None and (mount.device[0] != 0 or mount.fstype in ("tmpfs", "btrfs", "zfs", "overlay"))
        return os.path.realpath(path) if local else path

    paths = tuple(dict.fromkeys((*one.paths, *map(real, one.paths))))
    return one._replace(paths=paths, depot=real(one.depot) if one.depot else "")
