"""Forms made from the agent's own table of operations.

Rules of this file:
- a form asks for what the operation takes and the role may give, in the order of the table; nothing here knows any one
  operation. What a screen knows already it passes as ``given``; that is shown and not asked;
- what cannot be understood is said beside the form before the agent is asked, by the same reader the agent uses, and
  what the agent refuses is said there too: nobody types anything twice;
- before an act that ends something, or takes from others, the plan is shown;
- Enter in any field sends the form, ``esc`` leaves it and nothing has happened.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Checkbox, Input, Select

from agent.api.operations import PLANNED, TABLE
from agent.api.operations.schema import Param
from agent.api.proposed import ProposedError
from agent.errors import RefusedError, ShoumiError, UsageError
from agent.presentation.terms import CHOICES, DOMAINS, LEVELS, word
from rules.text import Text
from rules.visible import visible
from tui.i18n import LocalizedText, language_of, text_of
from tui.interface import program_of
from tui.render.cells import Toned, words_of
from tui.render.losses import of_act
from tui.render.operation import argument
from tui.widgets.scroll import ScrollArea

Choices = Mapping[str, Sequence[tuple[str, Text]]]  # of a parameter: value, and what it is called
_ONE = frozenset({"person", "grant", "record", "uid", "number", "visit"})  # parameters that name what one person has
_LISTS = ("texts", "numbers", "levels")


class Form(ModalScreen[dict[str, Any] | None]):
    """Asks for the parameters of *op* and has it done; answers the agent's result, ``None`` when it was left.

    ``given``: values that are not asked for. ``choices``: what a text may be where the table does not know it, such as
    the pack's kinds of records. ``only``: ask for these parameters alone. ``note``: said above the fields.
    ``said``: what a given value is called. ``plan``: title of the plan of an act that takes something: with one it is
    shown whatever it says, else where something would end or others would lose something. The result of a stream is
    ``{"items": [...]}``.
    """

    AUTO_FOCUS = ""  # it would scroll the label of the first field away
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", show=False),
        Binding("ctrl+s", "send", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
    ]
    DEFAULT_CSS = """
    Form { align: center middle; }
    Form > Vertical { width: 100%; max-width: 90; height: auto; max-height: 100%; padding: 0 1;
                      border: round $primary; background: $surface; }
    Form .title { text-style: bold; }
    Form .label { color: $text-muted; }
    Form Input, Form Select, Form Checkbox { background: $boost; }
    Form #wrong { margin-top: 1; }
    """

    def __init__(
        self,
        op: str,
        given: Mapping[str, Any] | None = None,
        *,
        choices: Choices | None = None,
        only: Sequence[str] = (),
        note: Text | None = None,
        said: Mapping[str, Text] | None = None,
        plan: Text | None = None,
    ) -> None:
        super().__init__()
        self._operation = TABLE[op]
        self._given = dict(given or {})
        self._choices = choices or {}
        self._only = tuple(only)
        self._note = note
        self._said = said or {}
        self._plan = plan
        self._params: tuple[Param, ...] = ()
        self._lacking: Widget | None = None  # the field that must be filled in and is not

    def compose(self) -> ComposeResult:
        """Lay it out."""
        operation, agent = self._operation, program_of(self).agent
        asked = [p for p in operation.params if p.name not in self._given and (not self._only or p.name in self._only)]
        self._params = tuple(param for param in asked if agent.takes(operation.name, param.name))
        with Vertical():
            yield LocalizedText(operation.help, classes="title")
            if self._note:
                yield LocalizedText(self._note)
            named = {param.name: param.help for param in operation.params}
            for name, value in self._given.items():
                shown = self._said.get(name) or argument(operation.name, name, value)
                yield LocalizedText(Toned(named[name], "dim"), "  ", shown)
            with ScrollArea(can_focus=False):
                for param in self._params:
                    yield LocalizedText(*self._label(param), classes="label")
                    yield self._field(param)
            yield LocalizedText(id="wrong")
            yield LocalizedText(
                Toned(
                    Text(
                        "Enter: do it. Tab: next. Esc: nothing happens. *: needed.",
                        "回车：执行。Tab：下一项。Esc：不作更改。* 必填。",
                    ),
                    "dim",
                )
            )

    def on_mount(self) -> None:
        """Begin with the first field, and with what it is for above it."""
        if self._params:
            self.set_focus(self.query_one(f"#{_id(self._params[0])}"), scroll_visible=False)
        if any(map(self._is_domain, self._params)):
            self.run_worker(self._offer_domains(), group="domains")

    def _is_domain(self, param: Param) -> bool:
        return param.name == "domain" and param.name not in self._choices

    async def _offer_domains(self) -> None:
        """Offer the domains the pack in force knows. The form does not wait for them: keys typed ahead belong to it."""
        try:
            known = (await program_of(self).agent.call("pack.show"))["domains"]
        except ShoumiError:  # those every shipped pack knows are offered already
            return
        language = language_of(self)
        named = [(Content(words_of(text_of(text), language)), name) for name, text in known.items()]
        self.query_one("#field-domain", Select).set_options(named)

    def on_input_submitted(self) -> None:
        """Send."""
        self.action_send()

    def action_send(self) -> None:
        """Have it done, once: while the agent is asked nothing is sent again, and nothing is typed."""
        middle, focused = self.query_one(ScrollArea), self.focused
        if not middle.disabled:
            middle.disabled = True
            self.run_worker(self._send(focused), group="send")

    def values(self) -> dict[str, Any]:
        """Return the arguments of the call.

        Raises :class:`UsageError` or :class:`RefusedError` for what is not understood.
        """
        found, self._lacking = dict(self._given), None
        for param in self._params:
            value = _value(param, self.query_one(f"#{_id(param)}"))
            if value not in ("", None, [], False):
                found[param.name] = value
        if lacks := next((param for param in self._params if param.required and param.name not in found), None):
            self._lacking = self.query_one(f"#{_id(lacks)}")
            raise UsageError(Text(f"needed: {lacks.help.en}", f"必填：{lacks.help.zh}"))
        self._operation.read(found, None)
        return found

    def _by_label(self, said: str) -> str:
        """Call parameters as the form does: nobody who fills it in knows their names."""
        language = language_of(self)
        for param in self._params:
            said = said.replace(f"`{param.name}`", f"`{param.help.say(language)}`")
        return said

    async def _send(self, focused: Widget | None) -> None:
        wrong = self.query_one("#wrong", LocalizedText)
        try:
            values = self.values()
            wrong.say(Text("asking the agent …", "正在请求代理……"))
            agent, name = program_of(self).agent, self._operation.name
            if name in PLANNED and not await self._agreed(values):
                raise RefusedError(Text("nothing was changed", "未作任何更改"))
            if self._operation.stream:
                self.dismiss({"items": await agent.items(name, **values)})
            else:
                self.dismiss(await agent.call(name, **values))
        except ProposedError as waits:
            program_of(self).tell(waits.text, "warning")
            self.dismiss(None)
        except ShoumiError as error:
            language = language_of(self)
            wrong.say(Toned(f"✗ {self._by_label('; '.join(error.lines(language)))}", "bad"))
            self.query_one(ScrollArea).disabled = False
            self.set_focus(self._lacking or focused)

    async def _agreed(self, values: Mapping[str, Any]) -> bool:
        """Return whether what the act would end, and take from whom, is wanted. Raises what the act itself would."""
        name, program = self._operation.name, program_of(self)
        found = await program.agent.call("act.plan", act=name, given=json.dumps(values))
        about = next((p.name for p in self._operation.params if p.positional and p.kind == "text"), "")
        plan = of_act(
            found,
            self._plan or self._operation.help,
            one=bool(_ONE & values.keys()),
            name=str(values.get(about, "")),
            always=self._plan is not None,
        )
        return plan is None or await program.agreed(plan)

    def _label(self, param: Param) -> list[Text | str | Toned]:
        sign = " *" if param.required else ""
        several = Text(" (several: with commas)", "（多个用逗号分隔）") if param.kind in _LISTS else ""
        return [param.help, sign, several]

    def _field(self, param: Param) -> Widget:
        ident = _id(param)
        if param.kind == "flag":
            return Checkbox(Content(""), id=ident, compact=True)
        options = self._options(param)
        if options:
            return Select(options, id=ident, allow_blank=True, prompt="-", compact=True)
        hint = param.metavar if param.metavar in ("DATE", "TIME") else ""
        shapes = {"DATE": "2026-12-31", "TIME": "2026-12-31T17:00"}
        return Input(id=ident, compact=True, placeholder=shapes.get(hint, ""))

    def _options(self, param: Param) -> list[tuple[Any, str]]:
        language = language_of(self)
        if param.name in self._choices:
            named = self._choices[param.name]
        elif self._is_domain(param):
            named = list(DOMAINS.items())
        elif param.kind == "level":
            named = list(LEVELS.items())
        else:
            named = [(choice, word(CHOICES, choice)) for choice in param.choices]
        return [(Content(words_of(text, language)), value) for value, text in named]


def _id(param: Param) -> str:
    return f"field-{param.name.replace('_', '-')}"


def _value(param: Param, field: Widget) -> Any:
    """Return what was entered, as the operation takes it; raise :class:`UsageError` for a number that is none."""
    if isinstance(field, Checkbox):
        return field.value
    if isinstance(field, Select):
        return "" if field.is_blank() else field.value
    assert isinstance(field, Input)
    word = field.value.strip()
    if not word:
        return ""
    if param.kind == "file":
        return file_text(word)
    if param.kind == "number":
        return _number(param, word)
    if param.kind in _LISTS:
        words = [one.strip() for one in word.replace("，", ",").split(",") if one.strip()]
        return [_number(param, one) for one in words] if param.kind == "numbers" else words
    return word


def _number(param: Param, word: str) -> int:
    if not (word.isascii() and word.isdigit()):
        said = visible(word)
        raise UsageError(
            Text(f"`{param.name}` must be a number, not `{said}`", f"`{param.name}` 应为数字，而不是 `{said}`")
        )
    return int(word)


def file_text(path: str) -> str:
    """Return the text of a file of whoever sits here; raise :class:`RefusedError` when it cannot be read."""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        said, why = visible(path), visible(str(error))
        raise RefusedError(Text(f"cannot read `{said}`: {why}", f"无法读取 `{said}`：{why}")) from None
