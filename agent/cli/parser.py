"""Parser of the command line in both languages, built from the table of operations.

Rules of this file: every help text is a message of the catalogues, argparse's own texts included: its English sentences
are the keys of ``argparse.po``. Global options (``--home``, ``--json``) are accepted anywhere on the line. A usage
error is raised as :class:`UsageError` and not printed: one place prints errors.
"""

import argparse
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

from agent.api.operations.schema import Param
from agent.errors import UsageError
from agent.language.catalogue import localized, own_words
from rules.text import NOTHING, Language, Message, Sentence, foreign

PROGRAM = "shoumi"
_HEADING = re.compile(r"^(\S[\S ]*):$", re.MULTILINE)
_ABOUT = Message("cli.about")
_HOME = Message("cli.home")
_JSON = Message("cli.json")
_HELP = Message("cli.help")


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its names (``("person", "add")``), help, parameters, and the function that runs it (→ exit code).

    ``note`` explains terms at the end of its help.
    """

    names: tuple[str, ...]
    help: Sentence
    params: tuple[Param, ...]
    run: Callable[..., int]
    alias: bool = False  # accepted, not listed
    note: Sentence = NOTHING


def build(commands: Iterable[Command], nouns: dict[str, Sentence], language: Language) -> argparse.ArgumentParser:
    """Return the parser of the whole program; ``parse_args`` gives a namespace with ``command``, ``home``, ``json``."""
    # argparse looks its own sentences up by these names of its module; each sentence is a key of the catalogues.
    vars(argparse).update(_=own_words(language).gettext, ngettext=own_words(language).ngettext)
    top = _Parser(PROGRAM, _ABOUT, language, defaults=True)
    verbs = top.commands()
    groups: dict[tuple[str, ...], Any] = {(): verbs}

    def group(path: tuple[str, ...]) -> Any:
        if path not in groups:
            groups[path] = _sub(group(path[:-1]), path[-1], nouns[" ".join(path)], language).commands()
        return groups[path]

    for command in commands:
        *noun, verb = command.names
        parser = _sub(group(tuple(noun)), verb, None if command.alias else command.help, language)
        if command.alias:
            parser.description = localized(command.help, language)
        parser.set_defaults(command=command)
        parser.epilog = localized(command.note, language) or None
        for param in command.params:
            _argument(parser, param, language)
    return top


def _sub(verbs: Any, name: str, about: Sentence | None, language: Language) -> "_Parser":
    listed = {} if about is None else {"help": localized(about, language)}
    parser: _Parser = verbs.add_parser(name, about=about or NOTHING, language=language, **listed)
    return parser


def _argument(parser: argparse.ArgumentParser, param: Param, language: Language) -> None:
    settings: dict[str, Any] = {"help": localized(param.help, language).replace("%", "%%")}
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
    """Return the option that sets *param* on a command line."""
    return "--" + param.name.replace("_", "-")


def _number(argument: str) -> int:
    if not (argument.isascii() and argument.isdigit()):
        raise ValueError(argument)
    return int(argument)


class _Parser(argparse.ArgumentParser):
    def __init__(
        self, prog: str, about: Sentence, language: Language, *, defaults: bool = False, **_ignored: object
    ) -> None:
        self.language: Language = language
        super().__init__(
            prog,
            description=localized(about, language),
            add_help=False,
            allow_abbrev=False,
            formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=28),
        )
        shared = self.add_argument_group(localized(Message("cli.global-options"), language))
        # SUPPRESS below the top: a subcommand that does not mention an option must not reset it.
        default: Any = None if defaults else argparse.SUPPRESS
        home, as_json, this = (localized(text, language) for text in (_HOME, _JSON, _HELP))
        shared.add_argument("--home", metavar="DIR", default=default, help=home)
        switch: Any = False if defaults else argparse.SUPPRESS
        shared.add_argument("--json", action="store_true", default=switch, help=as_json)
        shared.add_argument("-h", "--help", action="help", help=this)

    def commands(self) -> Any:
        title = localized(Message("cli.commands"), self.language)
        placeholder = localized(Message("cli.command-placeholder"), self.language)
        return self.add_subparsers(title=title, metavar=placeholder, parser_class=_Parser, required=True, dest="_verb")

    def format_help(self) -> str:
        """Return the help; the colon after a heading is that of the language, not the one argparse writes."""
        return _HEADING.sub(
            lambda heading: localized(Message("cli.help-heading", title=heading[1]), self.language),
            super().format_help(),
        )

    def error(self, message: str) -> NoReturn:
        raise UsageError(foreign(message), Message("cli.see-help", command=f"{self.prog} --help"))
