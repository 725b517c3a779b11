"""The story, scene by scene: what the product promises, tried by people who would rather it did not.

Rules of this file: it reads from top to bottom and knows nothing of processes, kernels or registries; a scene names who
does what and what must come of it. The order matters where time or a hold does.
"""

from collections.abc import Callable

from agent.demo import outcomes
from agent.demo.building import ARCHIVE, DESIGN, GUEST, Guest, Room
from agent.demo.cast import (
    DRAWINGS,
    HANDBOOK,
    LI,
    MERGER,
    QIAN,
    QUOTES,
    SUN,
    WANG,
    ZHANG,
    ZHAO,
    ZHOU,
    DemoArea,
    LossAct,
    Player,
)
from agent.demo.scene import ALLOWED, Observation, Scene, SceneOutcome, SceneStep, denied
from agent.demo.site import CutMeasurement, DemoSite, Left, LossMeasurement, ReceiptSummary, Traffic, Way, Who, himself
from agent.demo.tables import explanation, log, receipt
from agent.doors.messages import Side
from rules.text import Text

AUTHORISED_SECONDS = 3.0


def opening(
    who: Who, place: DemoArea, expected: SceneOutcome, what: Text | None = None, way: Way = Way.STRAIGHT
) -> SceneStep:
    """Return the step of opening the document of *place*."""
    if what is None:
        assert who.user
        actor, where = who.user.shown, place.shown
        what = Text(f"{actor.en} opens {where.en}", f"{actor.zh}打开{where.zh}")
    return SceneStep(what, expected, lambda site: outcomes.of_attempt(site.opens(who, place.document, way)))


def _authorised(site: DemoSite) -> Observation:
    site.authorise(QIAN, QUOTES, AUTHORISED_SECONDS)
    return outcomes.of_attempt(site.opens(himself(QIAN), QUOTES.document))


def _expired(site: DemoSite) -> Observation:
    site.expire()
    return outcomes.of_attempt(site.opens(himself(QIAN), QUOTES.document))


def _traffic(read: Callable[[Traffic], Observation]) -> Callable[[DemoSite], Observation]:
    return lambda site: read(site.traffic())


def _cut(read: Callable[[CutMeasurement], Observation]) -> Callable[[DemoSite], Observation]:
    return lambda site: read(site.cut())


def _left(read: Callable[[Left], Observation]) -> Callable[[DemoSite], Observation]:
    return lambda site: read(site.leaves())


def _proof(read: Callable[[ReceiptSummary], Observation]) -> Callable[[DemoSite], Observation]:
    return lambda site: read(site.proof())


def showing(who: Player | Guest, room: Room, expected: SceneOutcome, what: Text, side: Side = "in") -> SceneStep:
    """Return the step of showing a badge at the door of *room*."""
    return SceneStep(what, expected, lambda site: outcomes.of_badge(site.shows(who, room, side)))


def _forced(site: DemoSite) -> Observation:
    site.forces(ARCHIVE)
    return outcomes.of_alarm(site.alarms(ARCHIVE, "forced"), "")


def _found_inside(site: DemoSite) -> Observation:
    return outcomes.of_alarm(site.alarms(DESIGN, "stopped-inside"), ZHOU.id)


def _after_remount(site: DemoSite, player: Player, *, again: bool = True) -> Observation:
    if again and (moot := site.remounts()):
        return Observation(SceneOutcome("moot", moot), moot=True)
    return outcomes.of_attempt(site.opens(himself(player), DRAWINGS.document))


def _losing(player: Player, by: LossAct, rule: str, what: Text, given_back: Text) -> tuple[SceneStep, ...]:
    """Return what is seen when *player*, who has one of the drawings mapped, loses them *by* an act.

    *rule* refuses them then; *given_back*: what is tried once they have them again.
    """

    def lost(read: Callable[[LossMeasurement], Observation]) -> Callable[[DemoSite], Observation]:
        return lambda site: read(site.loses(player, by))

    name = player.name
    return (
        SceneStep(what, outcomes.GONE, lost(outcomes.of_loser)),
        SceneStep(
            Text(f"{name.en} opens it anew", f"{name.zh}重新打开"),
            denied(rule),
            lost(lambda seen: outcomes.of_attempt(seen.anew)),
        ),
        SceneStep(
            Text("Sun Ba, who has it mapped as well, beside him", "孙八同时映射并读取同一文件"),
            outcomes.UNDISTURBED,
            lost(outcomes.of_neighbour),
        ),
        SceneStep(
            Text("the receipt of it, by the public key alone", "该次收权的回执，仅凭公钥验证"),
            outcomes.NAMED,
            lost(outcomes.of_loss_receipt),
        ),
        SceneStep(given_back, ALLOWED, lost(lambda seen: outcomes.of_attempt(seen.back))),
    )


STORY = (
    Scene(
        Text("cleared, trained, and in the circle of knowers", "密级相符、培训有效、在知悉范围内"),
        (
            opening(himself(ZHANG), DRAWINGS, ALLOWED),
            opening(himself(SUN), MERGER, ALLOWED),
            opening(himself(LI), HANDBOOK, ALLOWED),
        ),
    ),
    Scene(
        Text("the level is too low", "密级不够"),
        (
            opening(himself(LI), DRAWINGS, denied("level")),
            opening(himself(ZHANG), MERGER, denied("level")),
        ),
    ),
    Scene(
        Text("the right level, but no need to know", "密级相符，但不在知悉范围内"),
        (opening(himself(WANG), DRAWINGS, denied("scope")),),
    ),
    Scene(
        Text("the yearly training has lapsed", "年度保密培训已过期"),
        (opening(himself(ZHAO), DRAWINGS, denied("training")),),
    ),
    Scene(
        Text("a temporary authorisation, which ends by itself", "临时授权，到期自动失效"),
        (
            opening(himself(QIAN), QUOTES, denied("level")),
            SceneStep(
                Text("authorised for a moment, he opens it again", "临时授权片刻，再次打开"), ALLOWED, _authorised
            ),
            SceneStep(Text("its time is over, he tries once more", "授权到期，再试一次"), denied("level"), _expired),
        ),
    ),
    Scene(
        Text("whoever is behind it must be allowed: sudo and su", "背后之人均须获准：sudo 与 su"),
        (
            opening(
                Who(None, LI),
                DRAWINGS,
                denied("level"),
                Text("root, by sudo from the login of Li Si", "李四登录后以 sudo 成为 root"),
            ),
            opening(
                Who(ZHANG, LI),
                DRAWINGS,
                denied("level"),
                Text("the uid of Zhang San, by su from Li Si", "李四登录后以 su 成为张三"),
            ),
            opening(
                Who(None, None),
                DRAWINGS,
                denied("nobody"),
                Text("root without any login", "没有登录身份的 root"),
            ),
            opening(
                Who(None, ZHANG),
                DRAWINGS,
                ALLOWED,
                Text("root, by sudo from the login of Zhang San", "张三登录后以 sudo 成为 root"),
            ),
        ),
    ),
    Scene(
        Text("other names for the same file", "为同一文件另找入口"),
        (
            opening(
                himself(LI),
                DRAWINGS,
                denied("level"),
                Text("a hard link in a public folder", "公共目录中的硬链接"),
                Way.HARD_LINK,
            ),
            opening(
                himself(LI),
                DRAWINGS,
                denied("level"),
                Text("a bind mount made by root", "由 root 绑定挂载到别处"),
                Way.BIND_MOUNT,
            ),
            opening(
                himself(LI),
                DRAWINGS,
                denied("level"),
                Text("a user and mount namespace of his own", "自建用户与挂载命名空间"),
                Way.NAMESPACE,
            ),
        ),
    ),
    Scene(
        Text("the decider is killed in mid-traffic, again and again", "在访问途中反复强杀判定进程"),
        (
            SceneStep(
                Text("SIGKILL to the decider", "向判定进程发送 SIGKILL"),
                outcomes.RESTARTED,
                _traffic(outcomes.of_kills),
            ),
            SceneStep(
                Text("cleared readers meanwhile", "其间有权者的访问"), outcomes.RECORDED, _traffic(outcomes.of_cleared)
            ),
            SceneStep(
                Text("uncleared readers meanwhile", "其间无权者的访问"),
                outcomes.CLOSED,
                _traffic(outcomes.of_uncleared),
            ),
        ),
    ),
    Scene(
        Text("the volume goes and comes", "卷的卸载与重新挂载"),
        (
            SceneStep(
                Text("unmounted and mounted again: Li Si is there at once", "卸载后重新挂载：李四立即尝试"),
                denied("level"),
                lambda site: _after_remount(site, LI),
            ),
            SceneStep(
                Text("and Zhang San", "张三亦然"), ALLOWED, lambda site: _after_remount(site, ZHANG, again=False)
            ),
            SceneStep(
                Text("let go of, then mounted behind the agent's back", "释放后，绕过代理自行挂载"),
                outcomes.GUARDED,
                lambda site: outcomes.of_late_mount(site.mounts_late()),
            ),
        ),
    ),
    Scene(
        Text("a room that two enter together, and the badges at its door", "须双人进入的设计室与门前的刷卡"),
        (
            showing(ZHANG, DESIGN, denied("two-person"), Text("Zhang San shows his badge, alone", "张三一人刷卡")),
            showing(ZHOU, DESIGN, ALLOWED, Text("Zhou Jiu beside him shows his", "周九在旁刷卡")),
            showing(LI, DESIGN, denied("level"), Text("Li Si shows his badge", "李四刷卡")),
            showing(GUEST, DESIGN, denied("escort"), Text("a visitor, without his escort", "来访者，陪同人不在")),
            showing(SUN, DESIGN, ALLOWED, Text("Sun Ba, who leads the visitor in", "陪同人孙八带其进入")),
            SceneStep(Text("somebody breaks a door open", "有人强行开门"), outcomes.ALARMED, _forced),
        ),
    ),
    Scene(
        Text("rights that end by an act, while the file is mapped", "文件正被映射，此刻权限因管理操作而终止"),
        (
            *_losing(
                ZHOU,
                LossAct.GRANT,
                "grant",
                Text("Zhou Jiu has `涡轮图纸` mapped, his grant is ended", "周九映射着“涡轮图纸”，其授权被终止"),
                Text("the grant is given again, he opens it", "重新授权后，再次打开"),
            ),
            *_losing(
                ZHANG,
                LossAct.LIST,
                "scope",
                Text("Zhang San has it mapped, a list moves him away", "张三映射着该文件，名单将其调离部门"),
                Text("a list moves him back, he opens it", "名单将其调回后，再次打开"),
            ),
        ),
    ),
    Scene(
        Text("a hold, while he has the file open", "停权，此刻文件正被其打开读取"),
        (
            SceneStep(
                Text("Zhang San reads, then the hold comes", "张三读取之中，停权下达"),
                outcomes.STOPPED,
                _cut(outcomes.of_reader),
            ),
            SceneStep(
                Text("Sun Ba reads the same file beside him", "孙八同时读取同一文件"),
                outcomes.UNDISTURBED,
                _cut(outcomes.of_bystander),
            ),
            opening(himself(ZHANG), DRAWINGS, denied("hold"), Text("Zhang San opens it anew", "张三重新打开")),
        ),
    ),
    Scene(
        Text(
            "a departure, approved by HR, while he has the file open and mapped",
            "人事批准离岗，此刻文件正被其打开并映射",
        ),
        (
            SceneStep(
                Text("Zhou Jiu reads, then HR's notice is dropped", "周九读取之中，人事通知投递"),
                outcomes.STOPPED,
                _left(outcomes.of_leaver),
            ),
            SceneStep(Text("the process of Zhou Jiu", "周九的进程"), outcomes.GONE, _left(outcomes.of_process)),
            SceneStep(
                Text("Sun Ba reads the same file beside him", "孙八同时读取同一文件"),
                outcomes.UNDISTURBED,
                _left(outcomes.of_colleague),
            ),
            opening(
                Who(None, ZHOU),  # his own uid does not get as far as the rules: an entry of the ACL refuses it before
                DRAWINGS,
                denied("departure"),
                Text("root, by sudo from the login of Zhou Jiu", "周九登录后以 sudo 成为 root"),
            ),
        ),
    ),
    Scene(
        Text("he was inside the design room when it landed", "离岗生效时其正在设计室内"),
        (
            SceneStep(Text("somebody has to go there", "须有人前往处置"), outcomes.ALARMED, _found_inside),
            showing(ZHOU, DESIGN, outcomes.OUT, Text("Zhou Jiu shows his badge to leave", "周九刷卡离开"), "out"),
            showing(ZHOU, DESIGN, denied("departure"), Text("Zhou Jiu shows it to come back", "周九刷卡返回")),
        ),
    ),
    Scene(
        Text("the receipt of this departure: when each thing ended", "该次离岗的回执：各事项的终止时刻"),
        (
            SceneStep(
                Text("verified with the public key alone", "仅凭公钥验证"), outcomes.PROVEN, _proof(outcomes.of_receipt)
            ),
            SceneStep(Text("the doors of the site", "各门"), outcomes.REFUSING, _proof(outcomes.of_doors)),
            SceneStep(Text("what the log has of it", "日志中的记录"), outcomes.TRACED, _proof(outcomes.of_trail)),
        ),
        receipt,
    ),
    Scene(
        Text("why may Zhao Liu not open it?", "赵六为何不能打开？"),
        (
            SceneStep(
                Text("the explanation", "解释"),
                outcomes.explained("training"),
                lambda site: outcomes.of_explanation(site.explain(ZHAO, DRAWINGS.document)),
            ),
        ),
        explanation(ZHAO, DRAWINGS),
    ),
    Scene(
        Text(
            "the log of it all: its last entries, without the traffic of scene 8 and the agent's own attempts",
            "全过程日志：最后若干条（不含第 8 幕的访问与代理自身的尝试）",
        ),
        (
            SceneStep(
                Text("its verification", "日志校验"),
                outcomes.WHOLE,
                lambda site: outcomes.of_verification(site.verify()),
            ),
        ),
        log,
    ),
)
FILE_SCENES = STORY[:7]  # what can be tried without killing anybody, and without a room
