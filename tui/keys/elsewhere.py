"""What the command line can do and no key of the terminal does, each with the reason.

Rules of this file: declarations only. A command stands here or in the ``ops`` or ``also`` of an action, never in both
and never in neither: a test compares the three.
"""

from rules.text import Text

_SHELL = Text("begins or ends what the terminal talks to: done in a shell", "启停代理本身，须在命令行中执行")
_TRIAL = Text("for trying the product out, with files of one's own", "仅供试用，需自备文件")
_DOSSIER = Text("stands in the dossier of the person", "见人员档案")
_LOG = Text("is what the access log shows, with filter and live tail", "即访问日志屏幕（可筛选、可跟随）")

_HR = Text("is done on HR's host, or rarely: in a shell", "在人事系统主机上或极少执行，使用命令行")

_PEOPLE = Text("is for people without a role, in a shell of their own", "供无角色人员在本人命令行中使用")

_GLASS = Text("is for the day without officers: in a shell, by root", "三员全部离任时使用，须由 root 在命令行中执行")

ELSEWHERE: dict[str, Text] = {
    "breakglass.seal": Text("prints a secret once: in a shell", "仅显示一次的机密，使用命令行"),
    "breakglass.open": _GLASS,
    "breakglass.close": _GLASS,
    "breakglass.show": _GLASS,
    "init": _SHELL,
    "run": _SHELL,
    "tui": Text("is the terminal", "即本终端"),
    "demo": _TRIAL,
    "case.send-test": _TRIAL,
    "keys.make-test": _TRIAL,
    "door.simulate": _TRIAL,
    "hr.drop": _HR,
    "hr.answers.list": _HR,
    "hr.answers.show": _HR,
    "hr.subject.add": _HR,
    "hr.subject.remove": _HR,
    "hr.subject.list": _HR,
    "request": _PEOPLE,
    "mine": _PEOPLE,
    "support": _PEOPLE,
    "account.list": _DOSSIER,
    "door.show": Text("stands in the details of its room", "见场所详情"),
    "door.test": Text("the details of a room show its readers as they are now", "场所详情实时显示读卡器状态"),
    "case.status": Text("stands on top of the details of a departure", "见离岗详情首部"),
    "log.list": _LOG,
    "log.follow": _LOG,
    "log.show": _LOG,
    "volume.create": Text("makes a new filesystem: done in a shell, by root", "建立文件系统，须由 root 在命令行中执行"),
    "service.renew": Text("follows a look at the new program: done in a shell", "须先查验新程序，使用命令行"),
    "pack.list": Text("is what `u` and `c` of the rules offer to choose from", "即规则屏幕 `u` 与 `c` 的选项"),
}
