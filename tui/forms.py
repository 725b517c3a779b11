"""Forms made from the agent's own table of operations.

Rules of this file:
- a form has a field for each parameter that the operation takes and the role may pass, in the order of the table;
  nothing here is specific to one operation. Values a screen knows already are passed as ``preset``: shown, not asked;
- invalid input is reported below the form before the agent is called, by the parser the agent uses; refusals of the
  agent are reported there too, so that no one types anything twice;
- before an act that ends something, or takes rights from others, the plan is shown;
- Enter in any field submits the form, ``esc`` cancels it without any change.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
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
from agent.language.catalogue import both, localized
from agent.language.errors import error_lines
from agent.presentation.fields import FIELDS
from agent.presentation.terms import CHOICES, DOMAINS, LEVELS, word
from rules.text import Message, Sentence, from_json
from tui.i18n import LocalizedText, language_of
from tui.interface import program_of
from tui.render.cells import Piece, Toned, words_of
from tui.render.losses import of_act
from tui.render.operation import argument
from tui.widgets.scroll import ScrollArea

Choices = Mapping[str, Sequence[tuple[str, Sentence]]]  # of a parameter: value and its label
_ONE = frozenset(
    {"person", "grant", "record", "uid", "number", "visit"}
)  # parameters that name something one person has
_LISTS = ("texts", "numbers", "levels")


class Form(ModalScreen[dict[str, Any] | None]):
    """Form for the parameters of *op*, which then calls it; answers the agent's result, ``None`` when it was cancelled.

    ``preset``: values that are shown and not asked. ``choices``: the values of a text parameter where the table does
    not list them, such as the pack's kinds of records. ``only``: ask for these parameters alone. ``note``: shown above
    the fields. ``captions``: labels of preset values. ``plan``: title of the plan of an act that takes something: with
    a title the plan is always shown, else only where something would end or others would lose something. The result of
    a stream is ``{"items": [...]}``.
    """

    AUTO_FOCUS = ""  # it would scroll the label of the first field out of sight
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
        preset: Mapping[str, Any] | None = None,
        *,
        choices: Choices | None = None,
        only: Sequence[str] = (),
        note: Sentence | None = None,
        captions: Mapping[str, Sentence] | None = None,
        plan: Sentence | None = None,
    ) -> None:
        super().__init__()
        self._operation = TABLE[op]
        self._preset = dict(preset or {})
        self._choices = choices or {}
        self._only = tuple(only)
        self._note = note
        self._captions = captions or {}
        self._plan = plan
        self._params: tuple[Param, ...] = ()
        self._lacking: Widget | None = None  # the required field that is empty

    def compose(self) -> ComposeResult:
        """Lay it out."""
        operation, agent = self._operation, program_of(self).agent
        candidates = [
            p for p in operation.params if p.name not in self._preset and (not self._only or p.name in self._only)
        ]
        self._params = tuple(param for param in candidates if agent.takes(operation.name, param.name))
        with Vertical():
            yield LocalizedText(operation.help, classes="title")
            if self._note:
                yield LocalizedText(self._note)
            labels = {param.name: _label(param) for param in operation.params}
            for name, preset in self._preset.items():
                text = self._captions.get(name) or argument(operation.name, name, preset)
                yield LocalizedText(Toned(labels[name], "dim"), "  ", text)
            with ScrollArea(can_focus=False):
                for param in self._params:
                    yield LocalizedText(*_heading(param), classes="label")
                    yield self._field(param)
            yield LocalizedText(id="wrong")
            yield LocalizedText(Toned(Message("tui.form-keys"), "dim"))

    def on_mount(self) -> None:
        """Focus the first field, with its label in sight above it."""
        if self._params:
            self.set_focus(self.query_one(f"#{_id(self._params[0])}"), scroll_visible=False)
        if any(map(self._is_domain, self._params)):
            self.run_worker(self._offer_domains(), group="domains")

    def _is_domain(self, param: Param) -> bool:
        return param.name == "domain" and param.name not in self._choices

    async def _offer_domains(self) -> None:
        """Offer the domains of the pack in force. The form does not wait for them: keys typed ahead go to it."""
        try:
            domains = (await program_of(self).agent.call("pack.show"))["domains"]
        except ShoumiError:  # those of every shipped pack are offered already
            return
        language = language_of(self)
        named = [(Content(words_of(from_json(text), language)), name) for name, text in domains.items()]
        self.query_one("#field-domain", Select).set_options(named)

    def on_input_submitted(self) -> None:
        """Submit."""
        self.action_send()

    def action_send(self) -> None:
        """Submit the form once: until the agent answers it accepts no input and is not sent again."""
        middle, focused = self.query_one(ScrollArea), self.focused
        if not middle.disabled:
            middle.disabled = True
            self.run_worker(self._send(focused), group="send")

    def values(self) -> dict[str, Any]:
        """Return the arguments of the call.

        Raises :class:`UsageError` or :class:`RefusedError` for invalid input.
        """
        arguments, self._lacking = dict(self._preset), None
        for param in self._params:
            entered = _field_value(param, self.query_one(f"#{_id(param)}"))
            if entered not in ("", None, [], False):
                arguments[param.name] = entered
        if lacks := next((param for param in self._params if param.required and param.name not in arguments), None):
            self._lacking = self.query_one(f"#{_id(lacks)}")
            raise UsageError(Message("tui.required-field-empty", field=_label(lacks)))
        self._operation.read(arguments, None)
        return arguments

    def _by_label(self, text: str) -> str:
        """Return *text* with the labels of the form in place of parameter names, which the user does not see."""
        language = language_of(self)
        for param in self._params:
            text = text.replace(f"`{param.name}`", f"`{localized(_label(param), language)}`")
        return text

    async def _send(self, focused: Widget | None) -> None:
        wrong = self.query_one("#wrong", LocalizedText)
        try:
            values = self.values()
            wrong.update(Message("tui.asking-agent"))
            agent, name = program_of(self).agent, self._operation.name
            if name in PLANNED and not await self._agreed(values):
                raise RefusedError(Message("tui.nothing-changed"))
            if self._operation.stream:
                self.dismiss({"items": await agent.items(name, **values)})
            else:
                self.dismiss(await agent.call(name, **values))
        except ProposedError as waits:
            program_of(self).tell(waits.text, "warning")
            self.dismiss(None)
        except ShoumiError as error:
            language = language_of(self)
            wrong.update(Toned(f"✗ {self._by_label('; '.join(error_lines(error, language)))}", "bad"))
            self.query_one(ScrollArea).disabled = False
            self.set_focus(self._lacking or focused)

    async def _agreed(self, values: Mapping[str, Any]) -> bool:
        """Show what the act would end and who would lose rights; return the consent. Raises as the act does."""
        name, program = self._operation.name, program_of(self)
        preview = await program.agent.call("act.plan", act=name, given=json.dumps(values))
        about = next((p.name for p in self._operation.params if p.positional and p.kind == "text"), "")
        plan = of_act(
            preview,
            self._plan or self._operation.help,
            single_person=bool(_ONE & values.keys()),
            name=str(values.get(about, "")),
            always=self._plan is not None,
        )
        return plan is None or await program.agreed(plan)

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
        return [(Content(words_of(text, language)), code) for code, text in named]


def _label(param: Param) -> Sentence:
    return FIELDS.get(param.name, param.help)


def _heading(param: Param) -> Iterator[Piece]:
    """Yield the label of a field, with its star where it is required, and its help where that says more."""
    label, explained = both(_label(param)), both(param.help)
    yield from (_label(param), " *" if param.required else "")
    if label.en != explained.en and label.zh != explained.zh:
        yield from ("  ", Toned(param.help, "dim"))
    if param.kind in _LISTS:
        yield from (" ", Toned(Message("tui.separate-with-commas"), "dim"))


def _id(param: Param) -> str:
    return f"field-{param.name.replace('_', '-')}"


def _field_value(param: Param, field: Widget) -> Any:
    """Return the entered value in the type of the operation; raise :class:`UsageError` for an invalid number."""
    if isinstance(field, Checkbox):
        return field.value
    if isinstance(field, Select):
        return "" if field.is_blank() else field.value
    assert isinstance(field, Input)
    text = field.value.strip()
    if not text:
        return ""
    if param.kind == "file":
        return file_text(text)
    if param.kind == "number":
        return _number(param, text)
    if param.kind in _LISTS:
        parts = [part.strip() for part in text.replace("，", ",").split(",") if part.strip()]
        return [_number(param, part) for part in parts] if param.kind == "numbers" else parts
    return text


def _number(param: Param, text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise UsageError(Message("tui.must-be-number", param=param.name, typed=text))
    return int(text)


def file_text(path: str) -> str:
    """Return the text of a file of the user; raise :class:`RefusedError` when it cannot be read."""
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RefusedError(Message("common.cannot-read", path=path, reason=str(error))) from None
