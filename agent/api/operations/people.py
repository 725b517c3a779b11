"""Operations on people: who they are, their accounts and badges, services, and the records that gate access.

The officer decides what opens doors (level, department, project, records); the system administrator binds accounts and
badges to people. Taking away is open to both where it can only deny.
"""

from agent.api.operations.schema import ANY, OFFICERS, SECURITY, SYSTEM, Operation, Param
from rules.model import Employment
from rules.text import Text

PERSON = Param("person", "text", Text("id of a person", "人员编号"), required=True, positional=True, metavar="PERSON")
SOME_PERSON = Param("person", "text", Text("only this person", "只看该人员"), positional=True, metavar="PERSON")
_NEW_PERSON = Param(
    "person", "text", Text("id of the person", "人员编号"), required=True, positional=True, metavar="ID"
)
PAPER = Param("paper", "text", Text("number of the paper that was signed", "所签文件的文号"))
PAPER_DATE = Param("paper_date", "since", Text("day on that paper", "文件日期"), metavar="DATE")
_DETAILS = (
    Param("name", "text", Text("name as people say it", "姓名")),
    Param(
        "level",
        "levels",
        Text("level, or DOMAIN=LEVEL; may be repeated", "密级，或“种类=密级”；可重复"),
        roles=SECURITY,
        metavar="LEVEL",
    ),
    Param("domain", "text", Text("domain of a level that names none", "密级未写种类时所属的秘密种类"), roles=SECURITY),
    Param("label", "text", Text("printed label of the level (核心 …)", "密级的原始称谓（核心……）"), roles=SECURITY),
    Param(
        "approved_by",
        "text",
        Text("who approved the level on paper", "密级审批人（纸质审批）"),
        roles=SECURITY,
        metavar="PERSON",
    ),
    PAPER,
    PAPER_DATE,
    Param("department", "text", Text("department", "部门"), roles=SECURITY),
    Param("post", "text", Text("post", "岗位"), roles=SECURITY),
    Param("heads", "text", Text("department they lead", "所负责的部门"), roles=SECURITY, metavar="DEPARTMENT"),
    Param("project", "texts", Text("project; may be repeated", "项目；可重复"), roles=SECURITY),
    Param(
        "employment",
        "text",
        Text("kind of employment", "用工形式"),
        choices=tuple(map(str, Employment)),
        roles=SECURITY,
    ),
)
_UID = Param("uid", "number", Text("numeric uid", "数字 uid"), required=True, positional=True, metavar="UID")
_CARD = Param("number", "text", Text("card number", "卡号"), required=True, positional=True, metavar="NUMBER")
_SERVICE = Param("service", "text", Text("id of the service", "服务编号"), required=True, positional=True, metavar="ID")
_HASH = Param(
    "sha256",
    "text",
    Text("hash that its program must have, in hexadecimal", "程序文件须具有的散列值（十六进制）"),
    metavar="HEX",
)

OPERATIONS = (
    Operation(
        "person.add",
        Text("add a person", "新增人员"),
        OFFICERS,
        (
            _NEW_PERSON,
            *_DETAILS,
            Param(
                "account",
                "numbers",
                Text("uid of an account; may be repeated", "账号 uid；可重复"),
                roles=SYSTEM,
                gives=True,
            ),
            Param("badge", "texts", Text("card number; may be repeated", "门禁卡号；可重复"), roles=SYSTEM, gives=True),
        ),
        act=True,
    ),
    Operation(
        "person.set",
        Text("change what is known of a person", "修改人员信息"),
        OFFICERS,
        (
            PERSON,
            *_DETAILS,
            Param(
                "post_changed",
                "flag",
                Text("the post changed now: vet again", "岗位现已变更：需重新审查"),
                roles=SECURITY,
            ),
            Param("inactive", "flag", Text("no access at all from now", "停用：不再有任何访问权")),
            Param("active", "flag", Text("active again", "重新启用"), roles=SECURITY),
        ),
        act=True,
    ),
    Operation("person.show", Text("show one person", "查看一名人员"), ANY, (PERSON,)),
    Operation(
        "person.list",
        Text("list people", "列出人员"),
        ANY,
        (
            Param(
                "search", "text", Text("part of an id or a name", "编号或姓名的一部分"), positional=True, metavar="WORD"
            ),
        ),
        stream=True,
    ),
    Operation(
        "person.import",
        Text("add or update people from a table, all or none", "从表格批量导入人员，全部成功或全部不变"),
        OFFICERS,
        (
            Param(
                "csv",
                "file",
                Text("CSV file with a heading line", "带标题行的 CSV 文件"),
                required=True,
                positional=True,
                metavar="FILE",
            ),
            Param(
                "update",
                "flag",
                Text(
                    "change people who are there already; empty cells leave things as they are",
                    "更新已登记的人员；空单元格保持原值",
                ),
            ),
        ),
        act=True,
    ),
    Operation(
        "account.add",
        Text("bind an account to a person", "绑定账号"),
        SYSTEM,
        (PERSON, _UID, Param("allow_system", "flag", Text("even a uid below 1000", "允许小于 1000 的 uid"))),
        act=True,
        gives=True,
    ),
    Operation("account.remove", Text("unbind an account", "解除账号"), SYSTEM, (PERSON, _UID), act=True),
    Operation("account.list", Text("list accounts", "列出账号"), ANY, (SOME_PERSON,), stream=True),
    Operation(
        "badge.add",
        Text("give a badge to a person", "发放门禁卡"),
        SYSTEM,
        (
            PERSON,
            _CARD,
            Param("until", "until", Text("it opens nothing after this", "有效期至"), metavar="TIME"),
            Param(
                "facility", "number", Text("facility code on it: another one is a copy", "卡内厂区码，不符即为复制卡")
            ),
            Param("bits", "number", Text("bits it reads with: other ones are a copy", "卡片位数，不符即为复制卡")),
        ),
        act=True,
        gives=True,
    ),
    Operation("badge.remove", Text("take a badge back", "收回门禁卡"), OFFICERS, (PERSON, _CARD), act=True),
    Operation("badge.lost", Text("say that a badge is lost", "挂失门禁卡"), OFFICERS, (PERSON, _CARD), act=True),
    Operation(
        "badge.list",
        Text("list badges", "列出门禁卡"),
        ANY,
        (SOME_PERSON, Param("all", "flag", Text("also those taken back", "包括已收回的"))),
        stream=True,
    ),
    Operation(
        "service.add",
        Text(
            "add a service: a program that may touch named areas, or one that lets people in",
            "新增服务账户：可访问指定目录的程序，或放入人员的程序",
        ),
        SYSTEM,
        (
            _SERVICE,
            Param("uid", "number", Text("uid it runs as", "运行 uid"), required=True),
            Param("executable", "path", Text("its program file", "程序文件"), required=True),
            Param("area", "texts", Text("area it may touch; may be repeated", "可访问的目录；可重复")),
            _HASH,
            Param(
                "lets_in",
                "flag",
                Text(
                    "it runs as root and lets people in, who need no login uid below it",
                    "以 root 运行并放入人员：其下的人员不需要登录 uid",
                ),
            ),
        ),
        act=True,
        gives=True,
    ),
    Operation(
        "service.renew",
        Text(
            "take the program of a service as it is now, after an upgrade", "程序升级后，按现状重新认定服务账户的程序"
        ),
        SYSTEM,
        (_SERVICE, _HASH),
        act=True,
        gives=True,
    ),
    Operation("service.remove", Text("remove a service", "删除服务账户"), OFFICERS, (_SERVICE,), act=True),
    Operation("service.list", Text("list services", "列出服务账户"), ANY, stream=True),
    Operation(
        "record.add",
        Text("add a dated fact about a person", "新增档案"),
        SECURITY,
        (
            PERSON,
            Param("kind", "text", Text("kind of record", "档案种类"), required=True, positional=True, metavar="KIND"),
            Param("on", "since", Text("day of the fact; now if absent", "日期；默认现在"), metavar="DATE"),
            Param("valid_until", "until", Text("end printed on it", "载明的有效期"), metavar="DATE"),
            Param("topic", "text", Text("subject", "主题")),
            Param("failed", "flag", Text("not passed, refused", "未通过")),
        ),
        act=True,
    ),
    Operation("record.list", Text("list records", "列出档案"), ANY, (SOME_PERSON,), stream=True),
    Operation(
        "record.void",
        Text("void a record that was wrong", "作废有误的档案"),
        SECURITY,
        (
            Param("record", "text", Text("id of the record", "档案编号"), required=True, positional=True, metavar="ID"),
            Param("reason", "text", Text("why", "理由"), required=True),
        ),
        act=True,
    ),
)
