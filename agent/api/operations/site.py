"""Operations on the site itself: roles, the rule pack, and how the agent is."""

from agent.api.operations.schema import ANY, EVERYBODY, OFFICERS, SECURITY, Operation, Param
from rules.text import Text

OPERATIONS = (
    Operation("role.list", Text("show the three roles and which one is yours", "查看三员及自己的角色"), EVERYBODY),
    Operation(
        "role.set",
        Text(
            "name the OS groups of the roles; the first time it ends the trial for good",
            "指定三员的系统组；首次指定即永久结束试用",
        ),
        OFFICERS,
        (
            Param("system", "text", Text("group of the system administrators", "系统管理员组"), metavar="GROUP"),
            Param("security", "text", Text("group of the security officers", "安全保密管理员组"), metavar="GROUP"),
            Param("auditor", "text", Text("group of the auditors", "安全审计员组"), metavar="GROUP"),
            Param("anyway", "flag", Text("though nobody could confirm anything yet", "即使目前无人可共同办理")),
        ),
        act=True,
        gives=True,
    ),
    Operation(
        "factor.give",
        Text("give one's second factor, for five minutes and this program", "提供二次认证（五分钟内对本程序有效）"),
        ANY,
        (Param("secret", "text", Text("what PAM asks for", "认证口令"), required=True, secret=True),),
    ),
    Operation(
        "keys.show",
        Text("show the agent's public key, which checks its receipts", "查看代理公钥，用于核验回执"),
        EVERYBODY,
        (
            Param(
                "fingerprint",
                "text",
                Text("the one that begins with this, also one that was lost", "以此开头的密钥，含已丢失的"),
            ),
        ),
    ),
    Operation("pack.show", Text("show the rule pack in force", "查看生效的规则包"), ANY),
    Operation(
        "pack.use",
        Text("put another rule pack in force", "启用另一个规则包"),
        SECURITY,
        (
            Param(
                "pack",
                "file",
                Text("a shipped pack's name, or a TOML file", "内置规则包名称，或 TOML 文件"),
                required=True,
                positional=True,
                metavar="PACK",
            ),
        ),
        act=True,
        gives=True,
    ),
    Operation(
        "clock.accept",
        Text("judge by the system clock as it is, though it was set back", "系统时钟被拨回后，认可其当前时间"),
        SECURITY,
        (Param("reason", "text", Text("why the clock is right", "确认时钟正确的依据"), required=True),),
        act=True,
        gives=True,
    ),
    Operation(
        "registry.show",
        Text("hold the registry against the log: what it lacks", "核对登记库与日志：缺少哪些操作"),
        ANY,
        read_entry=True,
    ),
    Operation(
        "registry.accept",
        Text("go on with a registry that lacks acts of the log", "接受缺少日志操作的登记库"),
        OFFICERS,
        (
            Param(
                "last",
                "number",
                Text(
                    "the last entry of what is given up, as `registry show` names it",
                    "`registry show` 所列最后一条的序号",
                ),
                required=True,
            ),
            Param("reason", "text", Text("why", "理由"), required=True),
        ),
        act=True,
        gives=True,
    ),
    Operation("status", Text("one page on how the agent is", "代理状态一览"), ANY),
    Operation("doctor", Text("check everything, and say what to do", "全面检查并给出处理办法"), ANY),
)
