"""Departures: from notice to the end of the cooling-off period."""

from rules.text import Text
from tui.keys.shape import Action, Place

PLACE = Place(
    "departures",
    "6",
    Text("Departures", "离岗"),
    Text("who is leaving, how far it is, and what is still owed", "离岗人员、进度与未结事项"),
    "tui.screens.departures:DeparturesScreen",
    ("case.list",),
)

ACTIONS = (
    Action(
        "departures.filter",
        "slash",
        Text("filter", "筛选"),
        Text("only cases with these words in them", "按文字筛选离岗"),
        ("case.list",),
        footer=False,
    ),
    Action(
        "departures.open",
        "enter",
        Text("details", "详情"),
        Text("the whole case: approvals, hand-over, what was cut and when", "查看审批、移交、撤权进度等全部内容"),
        ("case.show",),
    ),
    Action(
        "departures.add",
        "o",
        Text("open case", "办理离岗"),
        Text("somebody gives notice: open the departure", "登记离岗申请"),
        ("case.open",),
    ),
    Action(
        "departures.next",
        "n",
        Text("NEXT STEP", "下一步"),
        Text(
            "do what comes next: the next approval, a hand-over line, a signature …; the last approval ends all access",
            "办理下一步：审批、移交、签署等；最后一级审批即取消全部权限",
        ),
        ("case.approve",),
        cuts=True,
    ),
    Action(
        "departures.plan",
        "p",
        Text("plan", "预览"),
        Text("what the departure would end now; nothing is touched", "预览离岗将终止的事项（不作更改）"),
        ("case.plan",),
    ),
    Action(
        "departures.receipt",
        "R",
        Text("receipt", "回执"),
        Text("the signed receipt: when each thing ended, checked against its signature", "查看签名回执并验证签名"),
        ("case.receipt",),
    ),
    Action(
        "departures.return",
        "w",
        Text("send back", "退回"),
        Text("send the case back, with the reason", "退回离岗申请并说明理由"),
        ("case.return",),
        footer=False,
    ),
    Action(
        "departures.line",
        "i",
        Text("add a line", "增加移交项"),
        Text("add something to the hand-over list", "增加移交清单项"),
        ("case.add-line",),
        footer=False,
    ),
    Action(
        "departures.rescind",
        "x",
        Text("rescind", "撤销"),
        Text("take the departure back; once it is approved, two officers must", "撤销离岗；批准后须两名管理员"),
        ("case.rescind",),
        footer=False,
    ),
    Action(
        "departures.restore",
        "g",
        Text("give again", "恢复授权"),
        Text("after a rescission: give one ended grant again; two officers", "撤销离岗后恢复一项授权；须两名管理员"),
        ("case.restore",),
        footer=False,
    ),
    Action(
        "departures.all",
        "A",
        Text("all", "全部"),
        Text("also the cases that are over; again: only those that run", "包括已结束的离岗；再按一次恢复"),
        ("case.list",),
        footer=False,
    ),
    Action(
        "departures.trends",
        "t",
        Text("times", "用时"),
        Text("how long revocations took: median, 95th percentile, worst", "撤权耗时：中位数、第 95 百分位、最长"),
        ("case.trends",),
        footer=False,
    ),
    Action(
        "departures.quarantine",
        "Q",
        Text("quarantine", "隔离区"),
        Text(
            "what HR sent and nothing could be done about; let one be judged again",
            "人事系统发来而无法处理的令牌；可放行重新判定",
        ),
        ("case.quarantine", "case.release"),
        footer=False,
    ),
    Action(
        "departures.person",
        "d",
        Text("dossier", "档案"),
        Text("go to the person", "前往该人员"),
        ("person.show",),
        footer=False,
    ),
    Action(
        "departures.copy",
        "y",
        Text("copy", "复制"),
        Text("send the line as JSON to the terminal's clipboard", "将该行以 JSON 发送到终端剪贴板"),
        footer=False,
    ),
)
