"""``shoumi explain`` and ``shoumi what-if``: the verdict, the rule, the clauses, and what would change it.

Exit code 0 for either verdict: the question was answered.
"""

from typing import Any

from agent.api.timestamps import local
from agent.cli.context import Args, CliContext, command, shown, text
from rules.text import Text

_VERDICT = {"allow": Text("ALLOW", "允许"), "deny": Text("DENY", "拒绝")}


def _explain(context: CliContext, args: Args) -> int:
    answer = context.call("explain", args)
    if context.terminal.json:
        context.terminal.data(answer)
    else:
        _say(context, answer)
    return 0


def _what_if(context: CliContext, args: Args) -> int:
    answer = context.call("what-if", args)
    if context.terminal.json:
        context.terminal.data(answer)
        return 0
    before, after = _VERDICT[answer["before"]["verdict"]], _VERDICT[answer["verdict"]]
    context.terminal.line(
        context.terminal.say(Text(f"now {before.en}; then {after.en}", f"现在{before.zh}；届时{after.zh}"))
    )
    _say(context, answer)
    return 0


def _say(context: CliContext, answer: dict[str, Any]) -> None:
    terminal = context.terminal
    verdict, because = _VERDICT[answer["verdict"]], text(answer["because"])
    terminal.line(terminal.say(Text(f"{verdict.en}: {because.en}", f"{verdict.zh}：{because.zh}")))
    clauses = ", ".join(answer["clauses"]) or "-"
    terminal.line(
        terminal.say(
            Text(
                f"rule {answer['rule']} ({clauses}), pack {answer['pack']}",
                f"规则 {answer['rule']}（{clauses}），规则包 {answer['pack']}",
            )
        )
    )
    if answer["mode"] == "observe":
        terminal.line(terminal.say(Text("OBSERVE MODE: this is recorded, and not blocked", "观察模式：只记录，不拦截")))
    if answer["until"]:
        until = local(answer["until"])
        terminal.line(terminal.say(Text(f"holds until {until}", f"有效至 {until}")))
    if answer["change"]:
        change = text(answer["change"])
        terminal.line(terminal.say(Text(f"what would change it: {change.en}", f"改变条件：{change.zh}")))
    if answer.get("assumed"):
        _say_assumed(context, answer["assumed"])
    mark = {True: "✓", False: "✗"}
    terminal.table(
        [Text("", ""), Text("rule", "规则"), Text("finding", "结论"), Text("clauses", "条款")],
        [
            (mark[bool(finding["ok"])], finding["rule"], terminal.say(text(finding["because"])), finding["clauses"])
            for finding in answer["findings"]
        ],
    )


def _say_assumed(context: CliContext, assumed: dict[str, Any]) -> None:
    """Say what was taken for granted at a door where nobody stands."""
    badge = shown(assumed["badge"]) if assumed["badge"] else None
    en = [f"badge `{badge}` shown, PIN right" if badge else "no badge to show"]
    zh = [f"出示门禁卡 `{badge}`，密码正确" if badge else "没有可出示的门禁卡"]
    if assumed["with"]:
        others = ", ".join(map(shown, assumed["with"]))
        en.append(f"with {others}")
        zh.append(f"同行 {others}")
    if assumed["inside"]:
        inside = ", ".join(map(shown, assumed["inside"]))
        en.append(f"inside: {inside}")
        zh.append(f"室内：{inside}")
    context.terminal.line(context.terminal.say(Text(f"assumed: {'; '.join(en)}", f"假定：{'；'.join(zh)}")))


COMMANDS = (command("explain", _explain), command("what-if", _what_if))
