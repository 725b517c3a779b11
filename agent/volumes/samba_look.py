"""Detection of Samba's shares on this host: by ``testparm``, for every configuration that may be in use.

Rules of this file: it reads, and starts nothing but ``testparm``, which knows the defaults, the includes and the
registry; where that is not installed or does not answer, the files are read here. Everything is bounded in number, size
and time. Only processes started by root count as servers, so that no other user can make us read files. Sources:
smbd(8), testparm(1), net(8) for user shares, proc(5).
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
from rules.text import Message, Sentence
from rules.visible import visible

DEFAULTS = ("/etc/samba/smb.conf", "/usr/local/samba/etc/smb.conf")
_USER_SHARES = "/var/lib/samba/usershares"
_LARGEST, _MOST, _MOST_USER_SHARES, _SECONDS = 1 << 20, 8, 500, 5.0
_WITH_VALUE = "dlnOpP"  # short options of smbd that take a value, beside -s


class Served(NamedTuple):
    """A configuration file and the options of the command line. Without ``file``: smbd's built-in default."""

    file: str
    options: tuple[str, ...] = ()


class _Server(NamedTuple):
    pid: int
    served: Served
    elsewhere: SambaElsewhere | None


def find_shares(homes: Iterable[str], mounts: MountTable, defaults: Iterable[str] = DEFAULTS) -> SambaSeen:
    """Return the shares of Samba on this host. *homes* are the parents of home directories; never raises."""
    places, standard = tuple(homes), [file for file in defaults if os.path.exists(file)]
    pids: dict[Served, int] = {Served(file): 0 for file in standard}  # the pid of its server; 0: none needed
    shares_found: list[SambaShare] = []
    elsewhere: list[SambaElsewhere] = []
    unknown: list[Sentence] = []
    for server in _servers():
        if server.elsewhere is not None:
            elsewhere.append(server.elsewhere)
            continue
        files = [server.served.file] if server.served.file else standard
        for file in files:
            pids.setdefault(Served(file, server.served.options), server.pid)
        if not files:
            unknown.append(Message("volumes.smbd-configuration-unknown", pid=server.pid))
    if len(pids) > _MOST:
        unknown.append(Message("volumes.too-many-samba-configurations", most=_MOST))
    for served, pid in list(pids.items())[:_MOST]:
        file_shares, missing = _read_configuration(served, places)
        if missing and pid and not os.path.exists(f"/proc/{pid}"):
            continue  # the server has ended in the meantime, and its configuration no longer counts
        shares_found += file_shares
        shown_file = visible(served.file)
        unknown += [Message("common.named", name=shown_file, text=reason) for reason in missing]
    return SambaSeen(
        tuple(_real(samba_share, mounts) for samba_share in shares_found), tuple(elsewhere), tuple(unknown)
    )


def _read_configuration(served: Served, homes: tuple[str, ...]) -> tuple[list[SambaShare], list[Sentence]]:
    text = _text(served.file)
    if text is None:
        return [], [Message("common.unreadable")]
    configuration = read(text, _text)
    unknown: list[Sentence] = [
        Message("volumes.samba-setting-depends-on-client", line=line) for line in configuration.open
    ]
    sections: Sections | None = _testparm_sections(served)
    if sections is None:
        sections = _with(configuration, served.options)
        unknown += [Message("volumes.samba-setting-unresolved", line=line) for line in configuration.unresolved]
    file_shares = list(shares(sections, served.file, homes))
    try:
        file_shares += _user_shares(sections, served.file)
    except OSError as error:
        reason = visible(error.strerror or str(error))
        unknown.append(Message("volumes.user-shares-unreadable", reason=reason))
    return file_shares, unknown


def _testparm_sections(served: Served) -> Sections | None:
    """Return the sections from ``testparm``, ``None`` when it gives none."""
    options = [f"--option={option}" for option in served.options]
    with contextlib.suppress(RefusedError):
        output = tools.run("testparm", "-s", "-v", *options, served.file, seconds=_SECONDS, fine=(0, 1))
        if "\n[global]\n" in output and len(output) <= 4 * _LARGEST:
            parsed = read(output, lambda _file: None).sections
            for settings in parsed.values():
                settings.pop("copy", None)  # already applied: a missing setting has its default
            return parsed if "easupport" in parsed["global"] else None
    return None


def _with(configuration: SambaText, options: Iterable[str]) -> Sections:
    for option in options:
        name, _, setting = option.partition("=")
        for settings in configuration.sections.values():
            settings[plain(name)] = setting.strip()
    return configuration.sections


def _user_shares(sections: Sections, source: str) -> Iterator[SambaShare]:
    """Yield the shares that users created with ``net usershare add``. Raises ``OSError``."""
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
    """Return the text of a regular file, ``None`` when it is unreadable or too large."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return None
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        content = file.read(largest + 1)
    return None if len(content) > largest else os.fsdecode(content)


def _servers() -> Iterator[_Server]:
    """Yield the running smbd processes that root started."""
    ours = os.stat("/")
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        process = Path(f"/proc/{pid}")
        with contextlib.suppress(OSError, ValueError):
            if os.path.basename(os.readlink(process / "exe").removesuffix(" (deleted)")) != "smbd":
                continue
            uids = (process / "status").read_bytes().partition(b"\nUid:")[2].split(None, 4)
            if b"0" not in (uids[0], uids[2]):  # its real and its saved uid
                continue
            root = os.stat(process / "root")
            if (root.st_dev, root.st_ino) != (ours.st_dev, ours.st_ino):
                rows = mountinfo.parse((process / "mountinfo").read_bytes())
                yield _Server(pid, Served(""), SambaElsewhere(pid, frozenset(row.device for row in rows)))
                continue
            command = served(_zero_terminated(process / "cmdline"), _zero_terminated(process / "environ"))
            file = os.path.join(os.readlink(process / "cwd"), command.file) if command.file else ""
            yield _Server(pid, Served(file, command.options), None)


def _zero_terminated(path: Path) -> list[str]:
    with path.open("rb") as file:
        return [os.fsdecode(part) for part in file.read(_LARGEST).split(b"\0")]


def served(arguments: Iterable[str], environment: Iterable[str] = ()) -> Served:
    """Return the configuration that an smbd with this command line and environment reads."""
    file = next((argument.partition("=")[2] for argument in environment if argument.startswith("SMB_CONF_PATH=")), "")
    options: list[str] = []
    remaining = iter(list(arguments)[1:])
    for argument in remaining:
        name, separator, option_value = argument.partition("=")
        if name in ("--configfile", "--option"):
            option_value = option_value if separator else next(remaining, "")
            if name == "--option":
                options.append(option_value)
            else:
                file = option_value
        elif argument.startswith("-") and not argument.startswith("--"):
            letters = argument[1:]
            at = next((number for number, letter in enumerate(letters) if letter in _WITH_VALUE + "s"), None)
            if at is not None:
                option_value = letters[at + 1 :] or next(remaining, "")
                file = option_value if letters[at] == "s" else file
    return Served(file, tuple(options))


def _real(samba_share: SambaShare, mounts: MountTable) -> SambaShare:
    """Return the share with its resolved paths added; a path on a filesystem that may not answer is not resolved."""

    def real(path: str) -> str:
        mount = mountinfo.resolve(path, mounts)
        local = mount is not None and (mount.device[0] != 0 or mount.fstype in ("tmpfs", "btrfs", "zfs", "overlay"))
        return os.path.realpath(path) if local else path

    paths = tuple(dict.fromkeys((*samba_share.paths, *map(real, samba_share.paths))))
    return samba_share._replace(paths=paths, depot=real(samba_share.depot) if samba_share.depot else "")
