"""A log entry in full: the reason of its verdict, every field, and its proof."""

from importlib import resources

from agent.errors import UnreachableError
from rules.pack.clauses import read_clauses
from rules.text import Sentence, from_json
from rules.visible import visible
from tui.interface import program_of
from tui.render import entry as entry_page
from tui.render import entry_columns
from tui.render.cells import Piece, Toned, number
from tui.widgets.log_view import LogView
from tui.widgets.text_page import TextPage


class EntryPage(TextPage):
    """The highlighted entry of a list."""

    def __init__(self) -> None:
        super().__init__()
        self._rules: dict[str, Sentence] = {}
        self._clauses: dict[str, Sentence] = {}

    async def learn(self) -> None:
        """Fetch the titles of the rules once; without them the ids of the rules are shown."""
        if not self._rules:
            try:
                pack = await program_of(self).agent.call("pack.show")
            except UnreachableError:
                return
            self._rules = {rule["id"]: from_json(rule["title"]) for rule in pack["rules"]}

    def show_entry(self, view: LogView) -> None:
        """Show the highlighted entry of *view* once it is fetched."""
        entry = view.current()
        if view.reading is None or entry is None:
            return
        seq, line = view.reading.number(view.cursor), view.reading.line(view.cursor) or ""
        heading: list[Piece] = [Toned(f"#{number(seq)}", "strong"), "  ", entry_columns.day_and_time(entry), "  "]
        heading += [entry_columns.event_of(entry), "  ", entry_columns.subject_of(entry), "\n"]
        explanation = [*entry_page.explained(entry, self._rules), *self._clause_lines(entry)]
        self.show(
            *heading,
            *explanation,
            "\n",
            *entry_page.fields(entry),
            "\n",
            *entry_page.proof(seq, line, program_of(self).verified),
        )

    def _clause_lines(self, entry: entry_columns.Entry) -> list[Piece]:
        named = entry.get("clauses")
        if not isinstance(named, list) or not named:
            return []
        if not self._clauses:
            text = resources.files("rules").joinpath("clauses.csv").read_text(encoding="utf-8")
            self._clauses = {ident: clause.obligation for ident, clause in read_clauses(text).items()}
        lines: list[Piece] = []
        for name in map(str, named):
            lines += [Toned(f"{visible(name)}  ", "dim"), self._clauses.get(name), "\n"]
        return lines
