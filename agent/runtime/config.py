"""``config.toml``: the settings of one host. What a decision depends on is in the pack and the registry, never here.

Rules of this file: parsing is pure and strict. An unknown setting is an error and not a comment, because a misspelt
``[roles]`` would otherwise leave root with every role. Every error names the line and what would be right.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from agent.errors import RefusedError
from rules.text import Language, Text
from rules.visible import visible

Durability = Literal["power", "process"]
Tier = Literal["A", "B", "C"]
Group = str | int

ROLES = ("system", "security", "auditor")


@dataclass(frozen=True, slots=True)
class RoleGroups:
    """The OS group of each role, by name or number; ``None`` while it is not set."""

    system: Group | None = None
    security: Group | None = None
    auditor: Group | None = None

    @property
    def configured(self) -> bool:
        """Whether any role group is named: from then on root has no role (no more bootstrap)."""
        return any(group is not None for group in (self.system, self.security, self.auditor))


@dataclass(frozen=True, slots=True)
class Config:
    """All settings, with the values a new site starts from."""

    durability: Durability = "power"
    minimum_tier: Tier = "C"
    heartbeat_seconds: float = 5.0
    language: Language | None = None
    roles: RoleGroups = RoleGroups()
    doors_user: str | None = None


DEFAULT_TEXT = """\
# Settings of this host. Rules, levels and people are not here: see `shoumi pack show` and `shoumi person list`.
# 本机设置。规则、密级和人员不在这里：见 `shoumi pack show` 与 `shoumi person list`。

# "power": an entry survives a power cut before the access is allowed. "process": it survives kill -9 only, faster.
# "power"：断电也不丢失；"process"：只保证进程被杀时不丢失，更快。
durability = "power"

# Below this tier an area is not called protected: A pre-access events on its own volume, B the same on a shared
# volume by self-bind, C opens only.
# 低于该等级的目录不算受保护：A 独立卷并可截断已打开的文件，B 自绑定，C 仅拦截打开。
minimum_tier = "C"

# Seconds without a sign of life from the decider after which every open is denied.
# 判定进程多少秒没有心跳后，一律拒绝。
heartbeat_seconds = 5.0

# "zh" or "en"; absent: SHOUMI_LANG, else the locale. 语言；不写则取 SHOUMI_LANG 或系统区域设置。
# language = "zh"

# The account that talks to door readers and boards; give it the group of the serial ports. Absent: `shoumi-doors` when
# this host has it, else a number that belongs to nobody.
# 与门禁读卡器、控制板通信的账户；串口所属的组应包含该账户。不写：本机有 `shoumi-doors` 则用它，否则用无人使用的编号。
# doors_user = "shoumi-doors"

# 三员: one OS group (name or number) per role. While none is set, root acts for all three, and `doctor` warns.
# 每个角色对应一个系统组（组名或组号）。全部未设置时由 root 代行三员，`doctor` 会警告。
[roles]
# system = "shoumi-system"        # accounts, areas, service 系统管理员
# security = "shoumi-security"    # levels, grants, holds 安全保密管理员
# auditor = "shoumi-auditor"      # the log 安全审计员
"""


def load(path: Path) -> Config:
    """Read the settings at *path*; raise :class:`RefusedError` when they are missing or not understood."""
    shown = visible(str(path))
    try:
        text = path.read_text(encoding="utf-8")
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
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)", str(error))
        raise _wrong(name, int(line.group(1)) if line else text.count("\n") + 1, _plain(str(error))) from None
    reader = _Reader(text, name)
    reader.only(table, ("durability", "minimum_tier", "heartbeat_seconds", "language", "roles", "doors_user"))
    return Config(
        durability=cast("Durability", reader.word(table, "durability", ("power", "process"), "power")),
        minimum_tier=cast("Tier", reader.word(table, "minimum_tier", ("A", "B", "C"), "C")),
        heartbeat_seconds=reader.seconds(table, "heartbeat_seconds", 5.0),
        language=cast("Language | None", reader.word(table, "language", ("zh", "en"), None)),
        roles=reader.roles(table.get("roles", {})),
        doors_user=reader.account(table, "doors_user"),
    )


class _Reader:
    """One pass over a parsed table; knows the text, so that an error can name its line."""

    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name

    def only(self, table: Mapping[str, object], known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                said, right = visible(key), ", ".join(known)
                raise self.wrong(key, Text(f"no setting is called `{said}`", f"没有名为 `{said}` 的设置"), right)

    def word(self, table: Mapping[str, object], key: str, right: tuple[str, ...], default: str | None) -> object:
        value = table.get(key, default)
        if value is not None and value not in right:
            said = visible(str(value))
            text = Text(f"`{key}` cannot be `{said}`", f"`{key}` 不能是 `{said}`")
            raise self.wrong(key, text, ", ".join(right))
        return value

    def seconds(self, table: Mapping[str, object], key: str, default: float) -> float:
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0.5 <= value <= 300:
            raise self.wrong(key, Text(f"`{key}` is a number of seconds", f"`{key}` 应为秒数"), "0.5 … 300")
        return float(value)

    def account(self, table: Mapping[str, object], key: str) -> str | None:
        value = table.get(key)
        if value is not None and (not isinstance(value, str) or value in ("", "root", "0")):
            text = Text(f"`{key}` is the name of an account", f"`{key}` 应为账户名")
            raise self.wrong(key, text, "account, not root")
        return value

    def roles(self, table: object) -> RoleGroups:
        if not isinstance(table, dict):
            raise self.wrong("roles", Text("`roles` is a table", "`roles` 应为一个表"), "[roles]")
        self.only(table, ROLES)
        taken: dict[Group, str] = {}
        for role, group in table.items():
            if isinstance(group, bool) or not isinstance(group, str | int) or group in ("", "root", 0):
                text = Text(f"`{role}` is the name or number of a group", f"`{role}` 应为组名或组号")
                raise self.wrong(role, text, "group, not root")
            if group in taken:
                text = Text(
                    f"`{role}` and `{taken[group]}` name the same group; two roles never share one",
                    f"`{role}` 与 `{taken[group]}` 指向同一个组；三员不得兼任",
                )
                raise self.wrong(role, text, "one group per role")
            taken[group] = role
        return RoleGroups(**table)

    def wrong(self, key: str, text: Text, right: str) -> RefusedError:
        found = re.search(rf"^\s*\[?\s*[\"']?{re.escape(key)}\b", self.text, re.MULTILINE)
        line = self.text.count("\n", 0, found.end()) + 1 if found else 1
        return _wrong(self.name, line, text, Text(f"possible: {right}", f"可用：{right}"))


def _wrong(name: str, line: int, text: Text, hint: Text | None = None) -> RefusedError:
    return RefusedError(Text(f"{name} line {line}: {text.en}", f"{name} 第 {line} 行：{text.zh}"), hint)


def _plain(message: str) -> Text:
    said = visible(message)
    return Text(f"not TOML: {said}", f"不是合法的 TOML:{said}")
