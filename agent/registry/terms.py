"""What the registry's sentences call things: one word for one thing, for whoever reads or writes.

Rules of this file: words only; the design fixes them.
"""

from rules.text import Text

# What is registered.
PERSON = Text("person", "人员")
ACCOUNT = Text("account", "账号")
SERVICE = Text("service", "服务账户")
BADGE = Text("badge", "门禁卡")
PIN = Text("PIN", "密码")
AREA = Text("area", "涉密目录")
ROOM = Text("room", "涉密场所")
RESOURCE = Text("area or room", "涉密目录或场所")
DOOR = Text("door", "门")
READER = Text("reader", "读卡器")
GRANT = Text("grant", "授权")
HOLD = Text("hold", "停权")
LOSS = Text("loss of rights", "权限丧失")
RECORD = Text("record", "档案")
CASE = Text("case", "离岗办理")
DEPARTURE = Text("departure", "离岗办理")
VISIT = Text("visit", "来访")
DECLARATION = Text("declaration", "进入申报")
ALARM = Text("alarm", "报警")
PROPOSAL = Text("proposal", "提议")

# What is said of it.
DOMAIN = Text("domain", "秘密种类")
DEPARTMENT = Text("department", "部门")
PROJECT = Text("project", "项目")
REASON = Text("reason", "事由")
PURPOSE = Text("purpose", "事由")
APPROVER = Text("approver", "审批人")
OFFICER = Text("officer", "经办人")
