"""``shoumi account``: which Linux uid is whose."""

from agent.cli.context import act, column, listing, shown
from rules.text import Text

NOUN = Text("Linux accounts of people", "人员的 Linux 账号")

COMMANDS = (
    act(
        "account.add",
        lambda r: Text(f"uid {r['uid']} is `{shown(r['person'])}`", f"uid {r['uid']} 现属于 `{shown(r['person'])}`"),
    ),
    act(
        "account.remove",
        lambda r: Text(f"uid {r['uid']} is nobody's now", f"uid {r['uid']} 不再属于任何人"),
    ),
    listing(
        "account.list",
        (column("uid", "uid", "uid"), column("person", "人员", "person"), column("name", "账号名", "name")),
        Text("no accounts", "没有账号"),
    ),
)
