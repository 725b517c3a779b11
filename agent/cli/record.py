"""``shoumi record``: dated facts about people that gate access."""

from agent.cli.context import OutputColumn, act, column, listing, moment, shown
from rules.text import Text

NOUN = Text("dated facts about people (vetting, training …)", "人员档案（审查、培训……）")

COMMANDS = (
    act(
        "record.add",
        lambda r: Text(
            f"record {r['record']}: `{shown(r['kind'])}` of `{shown(r['person'])}`",
            f"档案 {r['record']}：`{shown(r['person'])}` 的 `{shown(r['kind'])}`",
        ),
    ),
    listing(
        "record.list",
        (
            column("record", "档案", "id"),
            column("person", "人员", "person"),
            column("kind", "种类", "kind"),
            moment("on", "日期", "on"),
            OutputColumn(Text("passed", "通过"), lambda row: row["passed"]),
            moment("valid until", "有效期至", "valid_until"),
            column("topic", "主题", "topic"),
        ),
        Text("no records", "没有档案"),
    ),
    act("record.void", lambda r: Text(f"record {shown(r['record'])} is void", f"档案 {shown(r['record'])} 已作废")),
)
