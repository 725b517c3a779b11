"""``config.toml``: the settings of one host. The basis of decisions is the pack and the registry, never this file.

Rules of this file: parsing is pure and strict. An unknown setting is an error and not a comment, because a misspelt
``second_factor`` would otherwise have no effect. Every error names the line and the accepted values. ``[roles]``
predates the act ``shoumi role set``: it is taken over once, at the first start.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta

from agent.errors import RefusedError
from agent.runtime import ours
from rules.text import Language, Message, Sentence
from rules.tiers import MinimumTier
from rules.visible import visible

Durability = Literal["power", "process"]
GroupName = Annotated[str, Meta(pattern=r"\A(?!root\Z)[^\0]+\Z")]
GroupNumber = Annotated[int, Meta(ge=1, le=2**32 - 2)]  # 2³²-1 means "unchanged" to chown(2), and belongs to no group
Group = str | int
_Accepted = tuple[Message, str | Message]
_Table = TypeVar("_Table", bound=msgspec.Struct)


class RoleGroups(msgspec.Struct, frozen=True):
    """The OS group of each role, by name or number; ``None`` while it is not set."""

    system: GroupName | GroupNumber | None = None
    security: GroupName | GroupNumber | None = None
    auditor: GroupName | GroupNumber | None = None

    @property
    def configured(self) -> bool:
        """Whether any role group is named: from then on root has no role (the bootstrap has ended)."""
        return any(group is not None for group in (self.system, self.security, self.auditor))


class Config(msgspec.Struct, frozen=True):
    """All settings, with the values a new site starts from."""

    durability: Durability = "power"
    minimum_tier: MinimumTier = "C"
    heartbeat_seconds: Annotated[float, Meta(ge=0.5, le=300)] = 5.0
    language: Language | None = None
    roles: RoleGroups = RoleGroups()
    second_factor: Annotated[str, Meta(pattern=r"\A(/[^\0]*/)?[A-Za-z0-9._-]+\Z")] | None = None
    doors_user: Annotated[str, Meta(pattern=r"\A(?!root\Z|0\Z)[^\0]+\Z")] | None = None
    label_scan_seconds: Annotated[float, Meta(ge=1, le=604_800)] = 21_600.0
    canary_seconds: Annotated[float, Meta(ge=0.5, le=300)] = 60.0
    hr_silence_seconds: Annotated[float, Meta(ge=0, le=31_536_000)] = 0.0


def _one_of(options: Any) -> _Accepted:
    return Message("runtime.setting-value-invalid"), ", ".join(get_args(options))


_GROUP = Message("runtime.setting-not-group"), Message("runtime.group-except-root")
# The error of a wrong setting, and the accepted values.
_RIGHT: Final[Mapping[str, _Accepted]] = {
    "durability": _one_of(Durability),
    "minimum_tier": _one_of(MinimumTier),
    "heartbeat_seconds": (Message("runtime.setting-not-seconds"), "0.5 … 300"),
    "label_scan_seconds": (Message("runtime.setting-not-seconds"), "1 … 604800"),
    "canary_seconds": (Message("runtime.setting-not-seconds"), "0.5 … 300"),
    "hr_silence_seconds": (Message("runtime.setting-not-seconds"), "0 … 31536000"),
    "language": _one_of(Language),
    "roles": (Message("runtime.setting-not-table"), "[roles]"),
    "second_factor": (Message("runtime.setting-not-pam-service"), "shoumi, sudo …"),
    "doors_user": (Message("runtime.setting-not-account"), Message("runtime.account-except-root")),
    **dict.fromkeys(RoleGroups.__struct_fields__, _GROUP),
}

DEFAULT_TEXT = """\
# Settings of this host. For rules, levels and people see `shoumi pack show` and `shoumi person list`.
# 本机设置。规则、密级和人员见 `shoumi pack show` 与 `shoumi person list`。

# "power": a log entry survives a power cut before the access is allowed. "process": it survives kill -9 only; faster.
# "power"：断电也不丢失；"process"：只保证进程被杀时不丢失，更快。
durability = "power"

# An area below this tier does not count as protected: A cuts all use of open files, on a dedicated volume; B the same,
# on a shared volume by self-bind; A-read and B-read cut reads only; C decides opens only. The pack may require more.
# 低于该等级的涉密目录不算受保护：A 独立卷，可切断对已打开文件的一切使用；B 同上，共用卷自绑定；A-read、B-read 仅切断
# 读取；C 仅拦截打开。规则包可要求更高等级。
minimum_tier = "C"

# Seconds without a heartbeat of the decider after which every open is denied.
# 判定进程多少秒没有心跳后，一律拒绝。
heartbeat_seconds = 5.0

# Seconds between two scans of a dedicated volume for files whose label was removed; 21600 are 6 hours.
# 两次标记检查之间的秒数：遍历独立卷，查找标记被去除的文件；21600 为 6 小时。
label_scan_seconds = 21600.0
# Seconds between two probes of each volume by an unused account, to prove that the guard denies; each area is probed in
# turn within sixty times that. What lacks proof for twice as long is reported as unknown.
# 每隔多少秒由无人使用的账号对每个卷发出探针，以证实防护有效；各涉密目录在其六十倍时间内轮流试探一次。
# 超过两倍时间未证实即为“未知”。
canary_seconds = 60.0

# Seconds without a valid token from the personnel system after which its channel is reported as faulty; 0: never. Have
# it send a verification event four times as often.
# 人事系统多少秒没有送来有效令牌即为通道异常；0 为不检查。请让人事系统以四倍频率发送核验事件。
hr_silence_seconds = 0.0

# "zh" or "en"; absent: SHOUMI_LANG, else the locale. 语言；不写则取 SHOUMI_LANG 或系统区域设置。
# language = "zh"

# The account that communicates with door readers and boards; it needs the group of the serial ports. Absent:
# `shoumi-doors` if this host has it, else an unused number.
# 与读卡器、门禁控制板通信的账号；串口所属的组应包含该账号。不写：本机有 `shoumi-doors` 则用它，否则用无人使用的编号。
# doors_user = "shoumi-doors"

# The PAM service officers authenticate with before they grant or end access (a file of /etc/pam.d). Absent: none.
# 管理员授予或终止权限前须通过的 PAM 服务（/etc/pam.d 中的文件）。不写：不要求二次认证。
# second_factor = "shoumi"
"""


def load(path: Path) -> Config:
    """Return the settings at *path*.

    Raises :class:`RefusedError` when they are missing, unreadable, or writable by others.
    """
    file = visible(str(path))
    try:
        text = ours.read(path).decode()
    except ours.OthersCanWriteError as error:
        raise error.refused() from None
    except FileNotFoundError:
        raise RefusedError(
            Message("runtime.settings-missing", file=file),
            Message("runtime.initialise-site"),
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = visible(str(error))
        raise RefusedError(Message("runtime.file-unreadable", file=file, reason=reason)) from None
    return parse(text, name=file)


def parse(text: str, *, name: str = "config.toml") -> Config:
    """Return the settings in TOML *text*; raise :class:`RefusedError` with the line of the first error."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of 4301 digits raises ValueError, not TOMLDecodeError
        line, reason = re.search(r"line (\d+)", str(error)), visible(str(error))
        at = int(line.group(1)) if line else text.count("\n") + 1
        raise _wrong(name, at, Message("runtime.not-toml", reason=reason)) from None
    page = _Page(text, name)
    config = page.read(Config, table)
    page.three_groups(table.get("roles", {}))
    return config


class _Page:
    """The text of the settings, so that an error can name its line."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name

    def read(self, kind: type[_Table], table: Mapping[str, object]) -> _Table:
        """Return *table* as a *kind*. Members are read one by one, so that each error belongs to one member."""
        types = {field.name: field.type for field in msgspec.structs.fields(kind)}
        values: dict[str, object] = {}
        for key, setting in table.items():
            if key not in types:
                setting_name = visible(key)
                text = Message("runtime.setting-unknown", name=setting_name)
                raise self.wrong(key, text, ", ".join(types))
            if isinstance(setting, dict) and types[key] is RoleGroups:
                values[key] = self.read(RoleGroups, setting)
                continue
            try:
                values[key] = msgspec.convert(setting, types[key], strict=True)
            except msgspec.ValidationError:
                text, right = _RIGHT[key]
                raise self.wrong(key, text.about(key=key, entered=_printable(setting)), right) from None
        return kind(**values)

    def three_groups(self, roles: Mapping[str, Group]) -> None:
        """Raise :class:`RefusedError` where two roles share a group."""
        taken: dict[Group, str] = {}
        for role, group in roles.items():
            if group in taken:
                text = Message("runtime.group-shared-by-roles", role=role, other_role=taken[group])
                raise self.wrong(role, text, Message("runtime.one-group-per-role"))
            taken[group] = role

    def wrong(self, key: str, text: Sentence, right: str | Message) -> RefusedError:
        match = re.search(rf"^\s*\[?\s*[\"']?{re.escape(key)}\b", self.text, re.MULTILINE)
        line = self.text.count("\n", 0, match.end()) + 1 if match else 1
        return _wrong(self.name, line, text, Message("runtime.accepted-values", values=right))


def _wrong(name: str, line: int, text: Sentence, hint: Sentence | None = None) -> RefusedError:
    return RefusedError(Message("runtime.at-line", name=name, line=line, text=text), hint)


def _printable(setting: object) -> str:
    try:
        return visible(str(setting))
    except ValueError:  # a number of more digits than Python writes
        return "…"
