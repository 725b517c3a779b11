"""Operations on the channel from the personnel system: how it names people, and what it must not be quiet about.

Who a name belongs to decides whose access a notice ends, so that is the security officer's, and an entry.
"""

from agent.api.operations.schema import ANY, SECURITY, Operation, Param
from rules.text import Text

_NAMES = (
    Param("number", "text", Text("an employee number, of any issuer", "工号（任一签发者）")),
    Param("email", "text", Text("an e-mail address", "电子邮件地址"), metavar="ADDRESS"),
    Param("iss", "text", Text("another issuer, whose number follows", "其他签发者，其编号见下项"), metavar="ISSUER"),
    Param("sub", "text", Text("a number of that issuer", "该签发者给出的编号"), metavar="NUMBER"),
)

OPERATIONS = (
    Operation(
        "hr.subject.add",
        Text("say whose a name is that the personnel system uses", "登记人事系统所用名称对应的人员"),
        SECURITY,
        (Param("person", "text", Text("id of the person", "人员编号"), required=True, positional=True), *_NAMES),
        act=True,
    ),
    Operation(
        "hr.subject.remove",
        Text("say that such a name is nobody's", "移除人事系统所用名称"),
        SECURITY,
        _NAMES,
        act=True,
    ),
    Operation(
        "hr.subject.list",
        Text("list the names the personnel system uses", "列出人事系统所用名称"),
        ANY,
        (),
        stream=True,
    ),
    Operation(
        "hr.alarm",
        Text("raise an alarm about the channel (the agent itself)", "就人事通道报警（仅代理自身）"),
        SECURITY,
        (
            Param("word", "text", Text("what it is about", "报警类别"), required=True),
            Param("en", "text", Text("the sentence in English", "英文说明"), required=True),
            Param("zh", "text", Text("the sentence in Chinese", "中文说明"), required=True),
            Param("person", "text", Text("about whom", "涉及人员")),
        ),
        act=True,
    ),
)
