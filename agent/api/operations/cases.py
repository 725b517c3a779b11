"""Operations on departures 离岗: the case from notice to its end. All acts are the security officer's.

``by`` names who did what is recorded (who signed the form, who received the keys): an id of the registry. What gives
something back (``rescind`` after the approval, ``restore``) or is a second officer's word (``confirm``) takes no
``by``: there it is the caller who answers.
"""

from agent.api.operations.people import PAPER, PAPER_DATE
from agent.api.operations.schema import ANY, OFFICERS, SECURITY, Operation, Param
from rules.offboarding.measure import Keeper
from rules.offboarding.vocabulary import CaseKind
from rules.text import Text

_CASE = Param("person", "text", Text("person, or number of the case", "人员编号或案号"), required=True, positional=True)
_RUN = Param(
    "person",
    "text",
    Text("person, or number of a case, loss, grant or hold", "人员编号，或案号、丧失、授权、停权编号"),
    required=True,
    positional=True,
)
_REASON = Param("reason", "text", Text("why", "理由"), required=True)
_WHO = Param("by", "text", Text("who did it; the caller if absent", "由谁作出；默认操作者"), metavar="PERSON")
_LAST_DAY = Param(
    "last_day", "text", Text("last day of work, 2026-12-31", "离职日，如 2026-12-31"), required=True, metavar="DATE"
)
_KIND = Param("kind", "text", Text("why the person leaves", "离岗类别"), choices=tuple(CaseKind))
_EFFECTIVE = Param(
    "effective",
    "text",
    Text(
        "leave date: access ends then, 2026-12-31T12:00; absent: with the last approval",
        "离岗时间，届时取消权限，如 2026-12-31T12:00；默认最后一级审批时",
    ),
    metavar="TIME",
)
_BATCH = Param("batch", "text", Text("name of a batch of layoffs", "批次名称（批量裁员）"), metavar="BATCH")
_MEASURE = Param(
    "measure", "text", Text("the measure, see case show", "措施，见 case show"), required=True, positional=True
)
_ON = Param("on", "text", Text("the day of it; today if absent", "日期；默认今天"), metavar="DATE")
_BY = (_WHO, PAPER, PAPER_DATE)
_REFERENCE = Param("reference", "text", Text("number in the personnel system", "人事系统编号"))

OPERATIONS = (
    Operation(
        "case.open",
        Text("open a departure, or hand a returned one in again", "办理离岗，或重新提交被退回的离岗"),
        SECURITY,
        (
            Param("person", "text", Text("id of the person", "人员编号"), required=True, positional=True),
            _LAST_DAY,
            _KIND,
            Param(
                "noticed", "since", Text("when notice was given; now if absent", "提出日期；默认现在"), metavar="DATE"
            ),
            Param("department", "text", Text("where a transfer leads", "调往部门")),
            Param("post", "text", Text("new post of a transfer", "调任岗位")),
            Param("reason", "text", Text("why", "理由")),
            _REFERENCE,
            _EFFECTIVE,
            _BATCH,
        ),
        act=True,
    ),
    Operation(
        "case.approve",
        Text(
            "give the next approval; the last one ends all access, or at the leave date",
            "审批；最后一级审批即取消全部权限（有离岗时间的届时取消）",
        ),
        SECURITY,
        (
            _CASE,
            Param("as", "text", Text("role in the chain; the next if absent", "审批角色；默认下一级"), metavar="ROLE"),
            *_BY,
            Param("opinion", "text", Text("what was written on the form", "审批意见")),
        ),
        act=True,
    ),
    Operation(
        "case.confirm",
        Text(
            "confirm, as a second officer, that an administrator leaves; ends processes",
            "第二名管理员确认管理员离岗，随即结束其进程",
        ),
        SECURITY,
        (_CASE,),
        act=True,
    ),
    Operation(
        "case.advance",
        Text("bring the leave date forward; without a time: to now", "提前离岗时间；不写时间即为现在"),
        SECURITY,
        (_CASE, Param("to", "text", Text("an earlier time", "更早的时间"), metavar="TIME")),
        act=True,
    ),
    Operation(
        "case.carry-out",
        Text("carry out a leave date that has come (the agent itself)", "执行到期离岗（仅代理自身）"),
        SECURITY,
        (_CASE,),
        act=True,
    ),
    Operation("case.return", Text("send a case back", "退回离岗申请"), SECURITY, (_CASE, _REASON, *_BY), act=True),
    Operation(
        "case.add-line",
        Text("add a line to the hand-over list", "增加移交项"),
        SECURITY,
        (
            _CASE,
            Param("line", "text", Text("short name of the line", "移交项名称"), required=True, positional=True),
            Param("what", "text", Text("what is handed over", "移交内容"), required=True),
            Param("to", "text", Text("department that receives it", "接收部门"), required=True, metavar="DEPARTMENT"),
        ),
        act=True,
    ),
    Operation(
        "case.hand-over",
        Text("sign a line of the hand-over list", "签收移交项"),
        SECURITY,
        (
            _CASE,
            Param(
                "line",
                "text",
                Text("the line, see case status", "移交项，见 case status"),
                required=True,
                positional=True,
            ),
            *_BY,
            Param(
                "missing",
                "text",
                Text("write it off: why it never comes back", "核销：无法收回的原因（仅限擅自离岗）"),
                metavar="REASON",
            ),
        ),
        act=True,
    ),
    Operation(
        "case.educate",
        Text("record the exit education", "登记离职保密教育"),
        SECURITY,
        (_CASE, *_BY, Param("note", "text", Text("what was said", "内容"))),
        act=True,
    ),
    Operation(
        "case.exam",
        Text("record the exit exam", "登记离岗考核"),
        SECURITY,
        (_CASE, *_BY, Param("failed", "flag", Text("not passed", "未通过"))),
        act=True,
    ),
    Operation(
        "case.sign",
        Text("record a signed document", "登记已签文件"),
        SECURITY,
        (
            _CASE,
            Param(
                "document",
                "text",
                Text("the document, see case status", "文件，见 case status"),
                required=True,
                positional=True,
            ),
            *_BY,
        ),
        act=True,
    ),
    Operation(
        "case.cool-off",
        Text("decide the cooling-off period", "确定脱密期"),
        SECURITY,
        (
            _CASE,
            Param("until", "until", Text("its end, that day included", "截止日期（含当日）"), metavar="DATE"),
            Param("none", "flag", Text("there is none; say why", "不实行脱密期；须说明理由")),
            Param("reason", "text", Text("why", "理由")),
            *_BY,
        ),
        act=True,
    ),
    Operation(
        "case.measure",
        Text("record a measure of the cooling-off period, with its paper", "登记脱密期管理措施（注明文号）"),
        SECURITY,
        (
            _CASE,
            _MEASURE,
            _ON,
            Param("party", "text", Text("unit, authority or office", "对方单位")),
            Param(
                "to",
                "text",
                Text("to whom the period is entrusted", "委托给谁管理脱密期"),
                choices=(Keeper.RECEIVING.value, Keeper.AUTHORITY.value),
            ),
            Param("item", "text", Text("what is held, such as a passport", "代管证照")),
            Param("note", "text", Text("what came of it, or why there is nothing", "情况说明")),
            *_BY,
        ),
        act=True,
    ),
    Operation(
        "case.end-measure",
        Text("give a passport back, or withdraw a filing, after the period", "期满后归还证照或撤销备案"),
        SECURITY,
        (_CASE, _MEASURE, Param("item", "text", Text("which one", "哪一件")), _ON, *_BY),
        act=True,
    ),
    Operation("case.papers", Text("release the papers", "发放退工材料"), SECURITY, (_CASE, *_BY), act=True),
    Operation("case.close", Text("close a case", "办结"), SECURITY, (_CASE, *_BY), act=True),
    Operation(
        "case.rescind",
        Text("take a departure back; two officers once it is approved", "撤销离岗；批准后须两名管理员"),
        SECURITY,
        (_CASE, _REASON),
        act=True,
    ),
    Operation(
        "case.withdraw",
        Text("the leaver takes the notice back; two officers once it is approved", "本人撤回离岗；批准后须两名管理员"),
        SECURITY,
        (_CASE, _REASON),
        act=True,
    ),
    Operation(
        "case.resume",
        Text(
            "somebody is back from long leave; two officers, restores nothing",
            "长期离岗者返岗；须两名管理员，不恢复权限",
        ),
        SECURITY,
        (_CASE, Param("reason", "text", Text("why", "理由"))),
        act=True,
    ),
    Operation(
        "case.restore",
        Text("give one ended grant again; two officers", "恢复一项被终止的授权；须两名管理员"),
        SECURITY,
        (_CASE, Param("grant", "text", Text("number of the grant", "授权编号"), required=True, positional=True)),
        act=True,
        gives=True,
    ),
    Operation(
        "case.notice",
        Text("take in an approval of the personnel system (the agent itself)", "接收人事系统的批准（仅代理自身）"),
        SECURITY,
        (
            Param("person", "text", Text("id of the person", "人员编号"), required=True, positional=True),
            Param("approver", "texts", Text("who approved there", "人事系统审批人"), required=True),
            _LAST_DAY,
            _KIND,
            Param("department", "text", Text("where a transfer leads", "调往部门")),
            Param("post", "text", Text("new post of a transfer", "调任岗位")),
            _REFERENCE,
            Param("class", "text", Text("class of the person, as printed there", "人事系统所列涉密人员类别")),
            Param("cooling_off_until", "until", Text("end of the cooling-off period", "脱密期截止"), metavar="DATE"),
            _EFFECTIVE,
            _BATCH,
        ),
        act=True,
    ),
    Operation(
        "case.release",
        Text("let a quarantined token of the personnel system be judged again", "放行隔离令牌，重新判定"),
        OFFICERS,
        (
            Param(
                "name",
                "text",
                Text("its name, see case quarantine; or the person", "名称，见 case quarantine；或人员编号"),
                required=True,
                positional=True,
            ),
        ),
        act=True,
    ),
    Operation(
        "case.quarantine",
        Text("list tokens of the personnel system that wait in quarantine", "列出隔离区中的人事令牌"),
        ANY,
        (),
        stream=True,
    ),
    Operation(
        "case.plan",
        Text("show what a departure would end now; nothing is touched", "预览离岗将终止的事项（不作更改）"),
        ANY,
        (_CASE,),
    ),
    Operation(
        "case.receipt",
        Text("show the newest signed receipt of a case, a loss or a hold", "查看离岗、权限丧失或停权的最新回执"),
        ANY,
        (_RUN,),
    ),
    Operation(
        "case.receipts",
        Text("list the receipts of a person: what was taken from them, and when", "列出某人的全部撤权回执"),
        ANY,
        (Param("person", "text", Text("id of the person", "人员编号"), required=True, positional=True),),
        stream=True,
    ),
    Operation(
        "case.progress",
        Text("show how far the revocation of a case is, step by step", "逐步查看撤权进度"),
        ANY,
        (_CASE,),
    ),
    Operation(
        "case.trends",
        Text("how long revocations took: median, 95th percentile, worst", "撤权耗时：中位数、第 95 百分位、最长"),
        ANY,
        (),
    ),
    Operation("case.show", Text("show everything about a case", "查看离岗全部内容"), ANY, (_CASE,)),
    Operation("case.status", Text("show where a case stands, and what is next", "查看进度与下一步"), ANY, (_CASE,)),
    Operation(
        "case.list",
        Text("list departures", "列出离岗"),
        ANY,
        (
            Param("person", "text", Text("only this person", "只看该人员"), metavar="PERSON"),
            _BATCH,
            Param("all", "flag", Text("also those that are over", "包括已结束的")),
        ),
        stream=True,
    ),
    Operation(
        "case.batches",
        Text("list batches of layoffs, each as one", "列出批次，每批一行"),
        ANY,
        (Param("all", "flag", Text("also those that are over", "包括已结束的")),),
        stream=True,
    ),
)
