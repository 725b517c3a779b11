"""argparse in both languages, built from the table of operations.

Rules of this file: every word of help comes from a :class:`Text`; what argparse itself says in English is said again
here. Global options (``--home``, ``--json``) are understood anywhere on the line. A line that is not understood is
:class:`UsageError`, raised and not printed, so that one place prints errors.
"""

import argparse
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from agent.api.operations.schema import Param
from agent.errors import UsageError
from rules.text import Language, Text
from rules.visible import visible

PROGRAM = "shoumi"


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its words (``("person", "add")``), help, parameters, and what runs it (→ exit code)."""

    words: tuple[str, ...]
    help: Text
    params: tuple[Param, ...]
    run: Callable[..., int]
    alias: bool = False  # understood, not listed


def build(commands: Iterable[Command], nouns: dict[str, Text], language: Language) -> argparse.ArgumentParser:
    """Return the parser of the whole program; ``parse_args`` gives a namespace with ``command``, ``home``, ``json``."""
    about = Text(
        "access control for classified directories: decided by rules, refused by the kernel, recorded first",
        "守密：涉密目录访问控制。依规则判定，由内核拦截，先记录后放行",
    )
    top = _Parser(PROGRAM, about, language, defaults=True)
    verbs = top.commands()
    groups: dict[tuple[str, ...], Any] = {(): verbs}

    def group(words: tuple[str, ...]) -> Any:
        if words not in groups:
            groups[words] = _sub(group(words[:-1]), words[-1], nouns[" ".join(words)], language).commands()
        return groups[words]

    for command in commands:
        *noun, verb = command.words
        parser = _sub(group(tuple(noun)), verb, None if command.alias else command.help, language)
        if command.alias:
            parser.description = command.help.say(language)
        parser.set_defaults(command=command)
        for param in command.params:
            _argument(parser, param, language)
    return top


def _sub(verbs: Any, name: str, about: Text | None, language: Language) -> "_Parser":
    listed = {} if about is None else {"help": about.say(language)}
    parser: _Parser = verbs.add_parser(name, about=about or Text("", ""), language=language, **listed)
    return parser


def _argument(parser: argparse.ArgumentParser, param: Param, language: Language) -> None:
    settings: dict[str, Any] = {"help": param.help.say(language).replace("%", "%%")}
    if param.kind == "flag":
        parser.add_argument(option(param), dest=param.name, action="store_true", **settings)
        return
    settings["metavar"] = param.metavar or param.name.upper().replace("_", "-")
    if param.choices:
        settings["metavar"] = "|".join(param.choices)
    if param.bare:
        settings |= {"nargs": "?", "const": param.bare}
    if param.kind in ("number", "numbers"):
        settings["type"] = _number
    if param.kind in ("texts", "levels", "numbers"):
        settings["action"] = "append"
    if param.positional:
        parser.add_argument(param.name, nargs=None if param.required else "?", **settings)
    else:
        parser.add_argument(option(param), dest=param.name, required=param.required, **settings)


def option(param: Param) -> str:
    """Return the word that sets *param* on a command line."""
    return "--" + param.name.replace("_", "-")


def _number(word: str) -> int:
    if not (word.isascii() and word.isdigit()):
        raise argparse.ArgumentTypeError(word)
    return int(word)


class _Parser(argparse.ArgumentParser):
    def __init__(
        self, prog: str, about: Text, language: Language, *, defaults: bool = False, **_ignored: object
    ) -> None:
        self.language: Language = language
        super().__init__(
            prog,
            description=about.say(language),
            add_help=False,
            allow_abbrev=False,
            formatter_class=lambda prog: _Formatter(prog, language),
        )
        self._positionals.title = Text("arguments", "参数").say(language)
        self._optionals.title = Text("options", "选项").say(language)
        shared = self.add_argument_group(Text("everywhere", "通用").say(language))
        # SUPPRESS below the top: a subcommand that does not mention an option must not reset it.
        default: Any = None if defaults else argparse.SUPPRESS
        home = Text("where the agent keeps everything (default /var/lib/shoumi)", "数据目录（默认 /var/lib/shoumi）")
        shared.add_argument("--home", metavar="DIR", default=default, help=home.say(language))
        as_json = Text("data as JSON, one object a line", "以 JSON 输出数据，每行一个对象")
        switch: Any = False if defaults else argparse.SUPPRESS
        shared.add_argument("--json", action="store_true", default=switch, help=as_json.say(language))
        shared.add_argument("-h", "--help", action="help", help=Text("show this help", "显示帮助").say(language))

    def commands(self) -> Any:
        title = Text("commands", "命令").say(self.language)
        return self.add_subparsers(title=title, metavar=title, parser_class=_Parser, required=True, dest="_verb")

    def error(self, message: str) -> NoReturn:
        raise UsageError(
            Text(visible(_first(message, _ENGLISH)), visible(_first(message, _CHINESE))),
            Text(f"see: {self.prog} --help", f"查看帮助：{self.prog} --help"),
        )


class _Formatter(argparse.HelpFormatter):
    def __init__(self, prog: str, language: Language) -> None:
        super().__init__(prog, max_help_position=28)
        self._language: Language = language

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        if prefix is None:  # an empty one is meant: that is how argparse makes the names of subcommands
            prefix = Text("usage: ", "用法：").say(self._language)
        super().add_usage(usage, actions, groups, prefix)


Rewording = Sequence[tuple[str, str]]

# What argparse of Python 3.11 to 3.14 says, and what is said instead.
_ENGLISH: Rewording = (
    (r"the following arguments are required: (.*)", r"missing: `\1`"),
    (r"unrecognized arguments: (.*)", r"not understood: `\1`"),
    (r"argument (\S+): invalid choice: '?(.*?)'? \(.*", r"no such command: `\2`"),
    (r"argument (\S+): invalid _number value: '?(.*?)'?$", r"`\1` must be a number, not `\2`"),
    (r"argument (\S+): expected one argument", r"`\1` needs a value"),
    (r"argument (\S+): (.*)", r"`\1`: \2"),
)
_CHINESE: Rewording = (
    (r"the following arguments are required: (.*)", r"缺少：`\1`"),
    (r"unrecognized arguments: (.*)", r"无法理解：`\1`"),
    (r"argument (\S+): invalid choice: '?(.*?)'? \(.*", r"没有命令 `\2`"),
    (r"argument (\S+): invalid _number value: '?(.*?)'?$", r"`\1` 应为数字，而不是 `\2`"),
    (r"argument (\S+): expected one argument", r"`\1` 需要一个值"),
    (r"argument (\S+): (.*)", r"参数 `\1` 有误：\2"),
    (r"(.*)", r"无法理解命令行：`\1`"),
)


def _first(message: str, rewording: Rewording) -> str:
    for pattern, said in rewording:
        if re.fullmatch(pattern, message, re.DOTALL):
            return re.sub(pattern, said, message, count=1, flags=re.DOTALL)
    return message
