"""``config.toml``: the settings of one host. What a decision depends on is in the pack and the registry, never here.

Rules of this file: parsing is pure and strict. An unknown setting is an error and not a comment, because a misspelt
``second_factor`` would otherwise ask nobody. Every error names the line and what would be right. ``[roles]`` is from
before it became an act (``shoumi role set``): it is taken over once, at the first start.
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
from rules.text import Language, Text
from rules.tiers import MinimumTier
from rules.visible import visible

Durability = Literal["power", "process"]
GroupName = Annotated[str, Meta(pattern=r"\A(?!root\Z)[^\0]+\Z")]
GroupNumber = Annotated[int, Meta(ge=1, le=2**32 - 2)]  # 2³²-1 is "leave it" to chown(2), and nobody's
Group = str | int
_Table = TypeVar("_Table", bound=msgspec.Struct)


class RoleGroups(msgspec.Struct, frozen=True):
    """The OS group of each role, by name or number; ``None`` while it is not set."""

    system: GroupName | GroupNumber | None = None
    security: GroupName | GroupNumber | None = None
    auditor: GroupName | GroupNumber | None = None

    @property
    def configured(self) -> bool:
        """Whether any role group is named: from then on root has no role (no more bootstrap)."""
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


def _one_of(words: Any) -> tuple[Text, str]:
    return Text("`{key}` cannot be `{said}`", "`{key}` 不能是 `{said}`"), ", ".join(get_args(words))


_GROUP = Text("`{key}` is the name or number of a group", "`{key}` 应为组名或组号"), "group, not root"
# What is said of a setting that is wrong, and what would be right.
_RIGHT: Final[Mapping[str, tuple[Text, str]]] = {
    "durability": _one_of(Durability),
    "minimum_tier": _one_of(MinimumTier),
    "heartbeat_seconds": (Text("`{key}` is a number of seconds", "`{key}` 应为秒数"), "0.5 … 300"),
    "label_scan_seconds": (Text("`{key}` is a number of seconds", "`{key}` 应为秒数"), "1 … 604800"),
    "canary_seconds": (Text("`{key}` is a number of seconds", "`{key}` 应为秒数"), "0.5 … 300"),
    "hr_silence_seconds": (Text("`{key}` is a number of seconds", "`{key}` 应为秒数"), "0 … 31536000"),
    "language": _one_of(Language),
    "roles": (Text("`{key}` is a table", "`{key}` 应为一个表"), "[roles]"),
    "second_factor": (Text("`{key}` is the name of a PAM service", "`{key}` 应为 PAM 服务名"), "shoumi, sudo …"),
    "doors_user": (Text("`{key}` is the name of an account", "`{key}` 应为账户名"), "account, not root"),
    **dict.fromkeys(RoleGroups.__struct_fields__, _GROUP),
}

DEFAULT_TEXT = """\
# Settings of this host. Rules, levels and people are not here: see `shoumi pack show` and `shoumi person list`.
# 本机设置。规则、密级和人员不在这里：见 `shoumi pack show` 与 `shoumi person list`。

# "power": an entry survives a power cut before the access is allowed. "process": it survives kill -9 only, faster.
# "power"：断电也不丢失；"process"：只保证进程被杀时不丢失，更快。
durability = "power"

# Below this tier an area is not called protected: A cuts all use of open files, on a volume of its own; B the same on a
# shared volume by self-bind; A-read and B-read cut reads only; C decides opens only. The pack may ask for more.
# 低于该等级的目录不算受保护：A 独立卷，可切断对已打开文件的一切使用；B 同上，共用卷自绑定；A-read、B-read 仅切断读取；
# C 仅拦截打开。规则包可要求更高等级。
minimum_tier = "C"

# Seconds without a sign of life from the decider after which every open is denied.
# 判定进程多少秒没有心跳后，一律拒绝。
heartbeat_seconds = 5.0

# Seconds between two walks over a dedicated volume that look for files whose label was stripped; 21600 are 6 hours.
# 两次标记检查之间的秒数：遍历独立卷，查找标记被去除的文件；21600 为 6 小时。
label_scan_seconds = 21600.0
# Each volume is tried by a user nobody is, to see that the guard refuses, once in so many seconds; each area in turn
# within sixty times that. What was not seen for twice as long is called unknown.
# 每隔多少秒由无人使用的用户试探每个卷，以证实防护有效；各目录在其六十倍时间内轮流试探一次。
# 超过两倍时间未证实即为“未知”。
canary_seconds = 60.0

# Seconds without a right token of the personnel system after which its channel is in trouble; 0: never. Have it send
# a verification event four times as often.
# 人事系统多少秒没有送来有效令牌即为通道异常；0 为不检查。请让人事系统以四倍频率发送核验事件。
hr_silence_seconds = 0.0

# "zh" or "en"; absent: SHOUMI_LANG, else the locale. 语言；不写则取 SHOUMI_LANG 或系统区域设置。
# language = "zh"

# The account that talks to door readers and boards; give it the group of the serial ports. Absent: `shoumi-doors` when
# this host has it, else a number that belongs to nobody.
# 与门禁读卡器、控制板通信的账户；串口所属的组应包含该账户。不写：本机有 `shoumi-doors` 则用它，否则用无人使用的编号。
# doors_user = "shoumi-doors"

# The PAM service that officers confirm with before they give or cut access (a file of /etc/pam.d). Absent: not asked.
# 管理员授予或终止权限前须通过的 PAM 服务（/etc/pam.d 中的文件）。不写：不要求二次认证。
# second_factor = "shoumi"
"""


def load(path: Path) -> Config:
    """Read the settings at *path*.

    Raises :class:`RefusedError` when they are missing, not understood, or others could have written them.
    """
    shown = visible(str(path))
    try:
        text = ours.read(path).decode()
    except ours.OthersCanWriteError as error:
        raise error.refused() from None
    except FileNotFoundError:
        raise RefusedError(
            Text(f"no settings at `{shown}`", f"找不到设置文件 `{shown}`"),
            Text("make the site first: shoumi --home DIR init", "请先初始化：shoumi --home DIR init"),
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        said = visible(str(error))
        raise RefusedError(Text(f"cannot read `{shown}`: {said}", f"无法读取 `{shown}`：{said}")) from None
    return parse(text, name=shown)


def parse(text: str, *, name: str = "config.toml") -> Config:
    """Read settings from TOML; raise :class:`RefusedError` with the line of the first thing that is wrong."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of 4301 digits is the former, and not a TOMLDecodeError
        line, said = re.search(r"line (\d+)", str(error)), visible(str(error))
        at = int(line.group(1)) if line else text.count("\n") + 1
        raise _wrong(name, at, Text(f"not TOML: {said}", f"不是合法的 TOML:{said}")) from None
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
        """Return *table* as a *kind*. Members are read one by one, so that each error belongs to one."""
        known = {field.name: field.type for field in msgspec.structs.fields(kind)}
        values: dict[str, object] = {}
        for key, value in table.items():
            if key not in known:
                said = visible(key)
                text = Text(f"no setting is called `{said}`", f"没有名为 `{said}` 的设置")
                raise self.wrong(key, text, ", ".join(known))
            if isinstance(value, dict) and known[key] is RoleGroups:
                values[key] = self.read(RoleGroups, value)
                continue
            try:
                values[key] = msgspec.convert(value, known[key], strict=True)
            except msgspec.ValidationError:
                said, (text, right) = _shown(value), _RIGHT[key]
                text = Text(*(sentence.format(key=key, said=said) for sentence in text))
                raise self.wrong(key, text, right) from None
        return kind(**values)

    def three_groups(self, roles: Mapping[str, Group]) -> None:
        """Raise :class:`RefusedError` where two roles share a group."""
        taken: dict[Group, str] = {}
        for role, group in roles.items():
            if group in taken:
                text = Text(
                    f"`{role}` and `{taken[group]}` name the same group; two roles never share one",
                    f"`{role}` 与 `{taken[group]}` 指向同一个组；三员不得兼任",
                )
                raise self.wrong(role, text, "one group per role")
            taken[group] = role

    def wrong(self, key: str, text: Text, right: str) -> RefusedError:
        found = re.search(rf"^\s*\[?\s*[\"']?{re.escape(key)}\b", self.text, re.MULTILINE)
        line = self.text.count("\n", 0, found.end()) + 1 if found else 1
        return _wrong(self.name, line, text, Text(f"possible: {right}", f"可用：{right}"))


def _wrong(name: str, line: int, text: Text, hint: Text | None = None) -> RefusedError:
    return RefusedError(Text(f"{name} line {line}: {text.en}", f"{name} 第 {line} 行：{text.zh}"), hint)


def _shown(value: object) -> str:
    try:
        return visible(str(value))
    except ValueError:  # a number of more digits than Python writes
        return "…"
