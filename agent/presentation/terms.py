"""What people read where the log, the registry and JSON carry a code: one table for lists, pages and screens.

Rules of this file:
- pure, and imported by everything that speaks: the command line, receipts, the terminal. It imports only ``rules``;
- codes are part of the product and never change; a word for one may. JSON keeps the code;
- a code nobody knows here (another version's, a site's own) is shown as it is, never left out and never an error.
"""

from collections.abc import Mapping

from rules.model import Level
from rules.offboarding.measure import Keeper
from rules.offboarding.vocabulary import CaseKind, CaseStep
from rules.text import Text
from rules.visible import visible

Words = Mapping[str, Text]

# What is decided, and how ---------------------------------------------------------------------------------------------

VERDICTS: Words = {"allow": Text("allow", "允许"), "deny": Text("DENY", "拒绝")}
MODES: Words = {"enforce": Text("enforce", "拦截"), "observe": Text("observe", "仅观察")}
LEVELS: Words = {level.word: level.text for level in Level}
DOMAINS: Words = {  # those of the packs that come with the program; a site's own are shown as it named them
    "state": Text("state", "国家秘密"),
    "commercial": Text("commercial", "商业秘密"),
    "unit": Text("unit", "单位内部秘密"),
    "work": Text("work", "工作秘密"),
    "privacy": Text("privacy", "个人隐私"),
}
PROPOSAL_OUTCOMES: Words = {
    "confirmed": Text("confirmed", "已确认"),
    "refused": Text("refused", "已否决"),
    "withdrawn": Text("withdrawn", "已撤回"),
    "lapsed": Text("lapsed", "已过期"),
}
YES_NO: Words = {"yes": Text("yes", "是"), "no": Text("no", "否")}

# People and their things ----------------------------------------------------------------------------------------------

EMPLOYMENTS: Words = {
    "regular": Text("regular", "在编"),
    "temporary": Text("temporary", "临时"),
    "intern": Text("intern", "实习"),
    "outsourced": Text("outsourced", "外包"),
    "visitor": Text("visitor", "来访"),
}
BADGES: Words = {
    "active": Text("active", "有效"),
    "lost": Text("LOST", "已挂失"),
    "returned": Text("returned", "已收回"),
}
STAGES: Words = {
    "notice": Text("notice given", "已提出"),
    "approved": Text("access is over", "权限已取消"),
    "cooling-off": Text("cooling off", "脱密期"),
    "closed": Text("closed", "已办结"),
}
DEPARTURES: Words = {kind.value: kind.text for kind in CaseKind}
KEEPERS: Words = {keeper.value: keeper.text for keeper in Keeper}
STEPS: Words = {step.value: step.text for step in CaseStep}
ROLES: Words = {  # of the agent itself; a pack has a title for every approver it names
    "system": Text("system administrator", "系统管理员"),
    "security": Text("security officer", "安全保密管理员"),
    "auditor": Text("auditor", "安全审计员"),
    "officer": Text("security officer", "安全保密管理员"),
    "bootstrap": Text("root, while no role is given", "root（代行三员）"),
    "break-glass": Text("root, by the broken glass", "root（应急）"),
}
HANDS: Words = {  # of an act that gives, where no second officer has confirmed it
    "one-hand": Text("one hand, in a trial or where the pack leaves it to one", "一人办理（试用或规则包允许）"),
    "break-glass": Text("root alone, by the broken glass", "root 一人（应急）"),
}
DISKS: Words = {
    "low": Text("low", "不足"),
    "urgent": Text("URGENT", "紧急"),
    "good": Text("enough again", "已恢复"),
}

# Rooms and doors ------------------------------------------------------------------------------------------------------

SIDES: Words = {"in": Text("in", "进"), "out": Text("out", "出")}
PASSBACKS: Words = {"none": Text("none", "不启用"), "soft": Text("alarm", "报警"), "hard": Text("refusal", "拒绝")}
HOW: Words = {"card": Text("card", "刷卡"), "pin": Text("PIN", "密码"), "button": Text("button", "按钮")}
CARDS: Words = {
    "put": Text("put", "写入"),
    "gone": Text("gone", "删除"),
    "pending": Text("PENDING", "待确认"),
    "confirmed": Text("confirmed", "已确认"),
}
RELEASES: Words = {
    "used": Text("used", "已通过"),
    "unused": Text("nobody went through", "无人通过"),
    "failed": Text("FAILED", "放行失败"),
    "unknown": Text("UNKNOWN", "结果不详"),
    "?": Text("not known yet", "尚未得知"),
}
ALARMS: Words = {
    "forced": Text("forced open", "强行打开"),
    "held": Text("held open", "长时间未关"),
    "tamper": Text("tampered with", "防拆报警"),
    "power": Text("power failure", "电源故障"),
    "offline": Text("offline", "离线"),
    "duress": Text("duress", "胁迫"),
    "guessing": Text("PIN guessing", "试探密码"),
    "passback": Text("passback", "潜回"),
    "two-places": Text("in two places", "同时在两处"),
    "copied": Text("copied card", "复制卡"),
    "untrusted": Text("untrusted read", "读卡不可信"),
    "flood": Text("flood of reads", "读卡过多"),
    "flutter": Text("contact flutters", "门磁抖动"),
    "clock": Text("clock is wrong", "时钟不准"),
    "lone": Text("one person alone", "单人停留"),
    "unescorted": Text("visitor without escort", "来访者无人陪同"),
    "stopped-inside": Text("stopped while inside", "停权时仍在室内"),
    "badge-gone": Text("badge gone while inside", "在室内而卡已失效"),
    "own-decision": Text("the board decided itself", "控制板自行判定"),
    "not-released": Text("lock did not release", "锁未放行"),
    "unrecorded": Text("not recorded", "未能记录"),
    "log-older": Text("log is an old copy", "日志为旧副本"),
    "signing-key": Text("key of the receipts", "回执密钥"),
    "over-budget": Text("asks for too much", "请求超出限额"),
    "break-glass": Text("the glass was broken", "已应急开启"),
    "disk-low": Text("little room on a disk", "磁盘空间不足"),
    "service-program": Text("program of a service", "服务程序"),
}

PROGRAMS: Words = {  # what a look at the program of a service finds
    "registered": Text("as registered", "与登记一致"),
    "unseen": Text("NEVER LOOKED AT", "未查验"),
    "gone": Text("GONE", "不存在"),
    "changed": Text("CHANGED", "已更改"),
    "writable": Text("OTHERS CAN WRITE IT", "他人可写"),
    "hash": Text("ANOTHER HASH", "散列值不符"),
}

# The log --------------------------------------------------------------------------------------------------------------

ACTIONS: Words = {
    "open": Text("open", "打开"),
    "list": Text("list", "列目录"),
    "access": Text("read on", "继续读写"),
    "enter": Text("enter", "进入"),
    "exit": Text("leave", "离开"),
}
ENTRIES: Words = {  # kinds of entries
    "access": Text("access", "文件访问"),
    "act": Text("act", "管理操作"),
    "read": Text("reading of the log", "查阅日志"),
    "factor": Text("second factor", "二次认证"),
    "door": Text("door", "门禁"),
    "door-released": Text("door released", "门禁放行"),
    "door-alarm": Text("door alarm", "门禁报警"),
    "door-event": Text("door event", "门禁事件"),
    "revocation": Text("revocation", "撤权"),
    "receipt": Text("receipt", "回执"),
    "hr-event": Text("event from HR", "人事通知"),
    "hr-channel": Text("channel to HR", "人事通道"),
    "expiring": Text("about to end", "即将到期"),
    "warned": Text("holder warned", "已提醒本人"),
    "holder-ended": Text("process ended", "进程被结束"),
    "deny-entries": Text("deny entries taken away", "移除拒绝项"),
    "labels": Text("labels", "标记"),
    "volume": Text("volume", "卷"),
    "held-before": Text("held before it was guarded", "受保护前已占用"),
    "start": Text("start", "启动"),
    "canary": Text("canary", "探针"),
    "decider-started": Text("decider started", "判定进程启动"),
    "recovered": Text("log recovered", "日志已恢复"),
    "registry-older": Text("REGISTRY IS AN OLD COPY", "登记库为旧副本"),
    "log-older": Text("LOG IS AN OLD COPY", "日志为旧副本"),
    "roles-lost": Text("ROLE GROUPS ARE LOST", "角色组丢失"),
    "signing-key": Text("KEY OF THE RECEIPTS", "回执密钥"),
    "over-budget": Text("SOMEBODY ASKS FOR TOO MUCH", "请求超出限额"),
    "disk-low": Text("ROOM ON A DISK", "磁盘空间"),
    "process-died": Text("A PROCESS DIED", "进程异常终止"),
    "service-program": Text("PROGRAM OF A SERVICE", "服务程序"),
    "pack-edited": Text("PACK WAS EDITED", "规则包被改动"),
    "started": Text("agent started", "代理启动"),
    "stopped": Text("agent stopped", "代理停止"),
    "clock": Text("CLOCK WAS SET", "时钟被改动"),
    "gap": Text("GAP IN THE LOG", "日志缺失"),
    "log-damaged": Text("LOG NOT IN ORDER", "日志有误"),
    "missing": Text("MISSING", "缺失"),
    "damaged": Text("DAMAGED", "已损坏"),
}
CLOCK_STEPS: Words = {  # why time is judged by the clock again after it was set
    "forward": Text("yes: it went forward", "是：时钟向前"),
    "returned": Text("yes: a step forward was undone", "是：此前的前拨已纠正"),
    "synchronised": Text("yes: the kernel calls it synchronised", "是：内核确认已同步"),
    "officer": Text("yes: an officer accepted it", "是：管理员已认可"),
}
HAPPENINGS: Words = {  # what a door event tells
    "open": Text("opened", "已打开"),
    "close": Text("closed", "已关闭"),
    "left": Text("left by the button", "按钮出门"),
    "day-over": Text("taken off at the day's end", "日终移出名单"),
    "reset": Text("taken off the list", "更正室内名单"),
    "not-inside": Text("left without entering", "未进入而离开"),
    "earlier": Text("from earlier", "此前事件"),
    "unknown-door": Text("unknown door", "未知的门"),
    "unconfirmed": Text("opening not confirmed", "开门未获证实"),
    "cards-removed": Text("cards taken off a board", "从控制板删除卡"),
    "frames-dropped": Text("messages dropped", "消息丢弃"),
    "trouble": Text("trouble", "故障"),
    "state-lost": Text("state lost", "状态丢失"),
    "process-ended": Text("doors process ended", "门禁进程结束"),
    "doors": Text("doors", "门禁"),
    **ALARMS,
    **{f"{kind}-over": Text(f"over: {text.en}", f"{text.zh}解除") for kind, text in ALARMS.items()},
}
OUTCOMES: Words = {
    "done": Text("done", "完成"),
    "refused": Text("REFUSED", "被拒绝"),
    "forbidden": Text("FORBIDDEN", "无权操作"),
    "not-completed": Text("NOT COMPLETED", "未完成"),
    "seen": Text("guard seen", "防护已证实"),
    "missing": Text("GUARD NOT SEEN", "防护未证实"),
    **RELEASES,
}

FILED: Words = {  # where a notice of the personnel system ends up
    "accepted": Text("accepted", "已接收"),
    "rejected": Text("REJECTED", "已拒收"),
    "quarantine": Text("QUARANTINED", "已隔离"),
}
HR_EVENTS: Words = {
    "departure-approved": Text("departure approved", "离岗已批准"),
    "account-disabled": Text("account disabled", "账号已停用"),
    "session-revoked": Text("session revoked", "会话已吊销"),
    "verification": Text("sign of life", "通道验证"),
}
HR_TROUBLES: Words = {  # of the channel of the personnel system
    "answers": Text("NO ANSWERS", "无法答复"),
    "silence": Text("SILENT", "无消息"),
    "keys": Text("KEYS BAD", "密钥异常"),
    "spool-replaced": Text("DROP MOVED", "目录被换"),
    "spool-unusable": Text("DROP BAD", "目录失效"),
}
MAILED: Words = {  # how a warning went by mail
    "sendmail": Text("handed to the mail system", "已交邮件系统"),
    "spool": Text("put into the mailbox", "已写入邮箱"),
    "not": Text("NOT SENT", "未发送"),
}
TOURS: Words = {  # what became of the labels of a volume
    "relabelled": Text("labelled anew", "已重新标记"),
    "scanned": Text("scanned", "已扫描"),
}
HELD: Words = {  # how somebody holds a volume
    "mount": Text("mounted", "挂载"),
    "open": Text("file open", "打开文件"),
    "inside": Text("stands in it", "当前目录"),
    "mapped": Text("file mapped", "映射文件"),
    "device": Text("device open", "打开设备"),
    "stacked": Text("device on top", "上层设备"),
    "loop": Text("loop device", "环回设备"),
}

OWN: Words = {  # attempts that the agent made itself
    "canary": Text("the agent's canary", "代理的探针"),
    "departure": Text("the agent's proof", "代理的验证"),
}

REVOCATIONS: Words = {  # the steps of one: what the log names them by
    "deny": Text("deny every access", "拒绝一切访问"),
    "holders": Text("end processes that hold classified files", "结束持有涉密文件的进程"),
    "processes": Text("end every process", "结束所有进程"),
    "units": Text("system units that run as them", "以其身份运行的系统服务"),
    "timers": Text("user timers, autostart, lingering", "用户定时器、自启动、驻留"),
    "sessions": Text("login sessions", "登录会话"),
    "cron": Text("cron jobs", "定时任务 cron"),
    "at": Text("at jobs", "定时任务 at"),
    "keys": Text("SSH keys", "SSH 密钥"),
    "account": Text("lock and expire the accounts", "锁定账号并设为过期"),
    "tickets": Text("sudo time stamps and Kerberos tickets", "sudo 时间戳与 Kerberos 票据"),
    "samba": Text("Samba connections", "Samba 连接"),
    "processes-again": Text("end what was started meanwhile", "结束期间新启动的进程"),
    "acl": Text("deny entries on every classified file", "在每个涉密文件上设置拒绝项"),
    "acl-back": Text("take the deny entries away", "移除拒绝项"),
    "doors": Text("every door refuses", "各门均拒绝"),
    "proof": Text("proof", "证明"),
}
PARTLY: Words = {  # of these what is called otherwise where a person keeps what is not named as lost
    "deny": Text("deny access to what was lost", "拒绝访问所丧失的目录"),
    "acl": Text("deny entries on classified files", "在涉密文件上设置拒绝项"),
}
CAUSES: Words = {  # why access ends, or does not
    "departure": Text("departure", "离岗"),
    "hold": Text("hold", "停权"),
    "expiry": Text("expiry", "到期"),
    "transfer": Text("transfer", "调岗"),
    "loss": Text("an act took rights", "操作收回权限"),
    "restored": Text("given again", "恢复授权"),
}
KEEPING = frozenset(("transfer", "expiry", "loss"))  # of these those who keep what is not named as lost

# The host -------------------------------------------------------------------------------------------------------------

TIERS: Words = {"none": Text("NONE", "无")}  # A, B and C are names
PROCESSES: Words = {
    "holder": Text("holder", "守护进程"),
    "decider": Text("decider", "判定进程"),
    "control": Text("control", "控制进程"),
    "doors": Text("doors", "门禁进程"),
    "departures": Text("departures", "离岗进程"),
    "label worker": Text("label worker", "标记进程"),
    "mount watcher": Text("mount watcher", "挂载监视进程"),
    "verifier": Text("verifier", "日志校验进程"),
    "gateway": Text("gateway", "网关进程"),
}
DURABILITIES: Words = {
    "power": Text("power (survives a power cut)", "power（断电不丢失）"),
    "process": Text("process (survives kill -9, not a power cut)", "process（仅防进程被杀）"),
}
SHARING: Words = {
    "dedicated": Text("its own filesystem", "专用文件系统"),
    "shared": Text("a shared one", "共用文件系统"),
}
VOLUMES: Words = {  # what an entry says of an area's volume
    "guarded": Text("guarded", "已受保护"),
    "covered": Text("COVERED", "已遮蔽"),
    "closed": Text("CLOSED", "已关闭"),
    "not-there": Text("NOT THERE", "不存在"),
    "unguarded": Text("no mark on what is mounted there", "该处挂载的文件系统未加标记"),
    "inside": Text("mounted inside the area", "挂载于目录之内"),
    "unbound": Text("its border is gone", "边界已消失"),
    "beneath": Text("the volume is gone", "卷已不在"),
    "mounted": Text("mounted without the agent", "绕过代理挂载"),
    "start": Text("before the agent started", "代理启动之前"),
    "ending": Text("ending who holds it", "正在结束占用进程"),
    "failed": Text("NOT DONE", "未完成"),
}
VOLUME_STATES: Words = {  # where a volume of ours is
    "hidden": Text("hidden", "已隐藏"),
    "attached": Text("attached, nobody sees it", "已附加，无人可见"),
    "published": Text("mounted and marked, no area on it", "已挂载并标记，尚无目录"),
    "guarded": Text("guarded", "受保护"),
    "closed": Text("covered", "已遮蔽"),
    "absent": Text("not mounted", "未挂载"),
}
HOLDERS: Words = {"name": Text("named only", "仅列出"), "end": Text("ended", "予以结束")}  # who held files earlier

CHOICES: Words = {  # what a parameter of an operation may be, where the table of operations lists it
    **YES_NO, **VERDICTS, **EMPLOYMENTS, **DEPARTURES, **KEEPERS, **SIDES, **PASSBACKS, **SHARING,
    **HOLDERS, "all": Text("all", "全部"),
}  # fmt: skip


STEP_STATES: Words = {  # how far a step of a revocation is
    "planned": Text("planned", "已计划"),
    "done": Text("done", "已完成"),
    "confirmed": Text("confirmed", "已确认"),
    "pending": Text("pending", "待完成"),
    "cannot-see": Text("cannot see", "无法查看"),
    "skipped": Text("not present", "不存在"),
}


def revocation_step(entry: Mapping[str, object]) -> Text:
    """Return what the step of a revocation is called that an *entry* of the log tells of."""
    words = {**REVOCATIONS, **PARTLY} if entry.get("cause") in KEEPING else REVOCATIONS
    return word(words, entry.get("step", ""))


def word(words: Words, code: object) -> Text:
    """Return the word for *code*, or the code as it is."""
    said = visible(str(code))
    return words.get(str(code)) or Text(said, said)
