"""Story of the demo, scene by scene: the promises of the product, tried by people who want to get around them.

Rules of this file: it reads from top to bottom and uses no processes, kernels or registries; a scene names the people,
their acts and the expected outcomes. The order matters because of time and holds.
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
from agent.demo.site import (
    ActingPerson,
    CutMeasurement,
    DemoSite,
    DepartureMeasurement,
    LossMeasurement,
    OpenRoute,
    ReceiptSummary,
    Traffic,
    own_session,
)
from agent.demo.tables import explanation, log, receipt
from agent.doors.messages import Side
from rules.text import Message, Sentence

AUTHORISED_SECONDS = 3.0


def opening(
    subject: ActingPerson,
    place: DemoArea,
    expected: SceneOutcome,
    title: Sentence | None = None,
    route: OpenRoute = OpenRoute.STRAIGHT,
) -> SceneStep:
    """Return the step of opening the document of *place*."""
    if title is None:
        assert subject.user
        actor, caption = subject.user.caption, place.caption
        title = Message("demo.person-opens-area", actor=actor, area=caption)
    return SceneStep(title, expected, lambda site: outcomes.of_attempt(site.opens(subject, place.document, route)))


def _authorised(site: DemoSite) -> Observation:
    site.authorise(QIAN, QUOTES, AUTHORISED_SECONDS)
    return outcomes.of_attempt(site.opens(own_session(QIAN), QUOTES.document))


def _expired(site: DemoSite) -> Observation:
    site.expire()
    return outcomes.of_attempt(site.opens(own_session(QIAN), QUOTES.document))


def _traffic(read: Callable[[Traffic], Observation]) -> Callable[[DemoSite], Observation]:
    return lambda site: read(site.traffic())


def _cut(read: Callable[[CutMeasurement], Observation]) -> Callable[[DemoSite], Observation]:
    return lambda site: read(site.cut())


def _departure(read: Callable[[DepartureMeasurement], Observation]) -> Callable[[DemoSite], Observation]:
    return lambda site: read(site.leaves())


def _proof(read: Callable[[ReceiptSummary], Observation]) -> Callable[[DemoSite], Observation]:
    return lambda site: read(site.proof())


def showing(
    holder: Player | Guest, room: Room, expected: SceneOutcome, title: Sentence, side: Side = "in"
) -> SceneStep:
    """Return the step of presenting a badge at the door of *room*."""
    return SceneStep(title, expected, lambda site: outcomes.of_badge(site.shows(holder, room, side)))


def _forced(site: DemoSite) -> Observation:
    site.forces(ARCHIVE)
    return outcomes.of_alarm(site.alarms(ARCHIVE, "forced"), "")


def _found_inside(site: DemoSite) -> Observation:
    return outcomes.of_alarm(site.alarms(DESIGN, "stopped-inside"), ZHOU.id)


def _after_remount(site: DemoSite, player: Player, *, remount_first: bool = True) -> Observation:
    if remount_first and (moot := site.remounts()):
        return Observation(SceneOutcome("moot", moot), moot=True)
    return outcomes.of_attempt(site.opens(own_session(player), DRAWINGS.document))


def _losing(player: Player, by: LossAct, rule: str, title: Sentence, given_back: Sentence) -> tuple[SceneStep, ...]:
    """Return the steps in which *player*, who has a drawing mapped, loses the drawings *by* an act.

    *rule* denies them then; *given_back*: the title of the attempt after they are restored.
    """

    def lost(read: Callable[[LossMeasurement], Observation]) -> Callable[[DemoSite], Observation]:
        return lambda site: read(site.loses(player, by))

    name = player.name
    return (
        SceneStep(title, outcomes.GONE, lost(outcomes.of_loser)),
        SceneStep(
            Message("demo.person-opens-again", name=name),
            denied(rule),
            lost(lambda measurement: outcomes.of_attempt(measurement.reopened)),
        ),
        SceneStep(
            Message("demo.sun-ba-mapped-too"),
            outcomes.UNDISTURBED,
            lost(outcomes.of_neighbour),
        ),
        SceneStep(
            Message("demo.loss-receipt-verified"),
            outcomes.NAMED,
            lost(outcomes.of_loss_receipt),
        ),
        SceneStep(given_back, ALLOWED, lost(lambda measurement: outcomes.of_attempt(measurement.back))),
    )


STORY = (
    Scene(
        Message("demo.scene-cleared"),
        (
            opening(own_session(ZHANG), DRAWINGS, ALLOWED),
            opening(own_session(SUN), MERGER, ALLOWED),
            opening(own_session(LI), HANDBOOK, ALLOWED),
        ),
    ),
    Scene(
        Message("demo.scene-level-too-low"),
        (
            opening(own_session(LI), DRAWINGS, denied("level")),
            opening(own_session(ZHANG), MERGER, denied("level")),
        ),
    ),
    Scene(
        Message("demo.scene-outside-scope"),
        (opening(own_session(WANG), DRAWINGS, denied("scope")),),
    ),
    Scene(
        Message("demo.scene-training-expired"),
        (opening(own_session(ZHAO), DRAWINGS, denied("training")),),
    ),
    Scene(
        Message("demo.scene-temporary-grant"),
        (
            opening(own_session(QIAN), QUOTES, denied("level")),
            SceneStep(Message("demo.opens-with-temporary-grant"), ALLOWED, _authorised),
            SceneStep(Message("demo.opens-after-expiry"), denied("level"), _expired),
        ),
    ),
    Scene(
        Message("demo.scene-everyone-behind"),
        (
            opening(
                ActingPerson(None, LI),
                DRAWINGS,
                denied("level"),
                Message("demo.root-sudo-login-li-si"),
            ),
            opening(
                ActingPerson(ZHANG, LI),
                DRAWINGS,
                denied("level"),
                Message("demo.uid-zhang-san-su-li"),
            ),
            opening(
                ActingPerson(None, None),
                DRAWINGS,
                denied("nobody"),
                Message("demo.root-without-any-login"),
            ),
            opening(
                ActingPerson(None, ZHANG),
                DRAWINGS,
                ALLOWED,
                Message("demo.root-sudo-login-zhang-san"),
            ),
        ),
    ),
    Scene(
        Message("demo.scene-other-paths"),
        (
            opening(
                own_session(LI),
                DRAWINGS,
                denied("level"),
                Message("demo.through-hard-link"),
                OpenRoute.HARD_LINK,
            ),
            opening(
                own_session(LI),
                DRAWINGS,
                denied("level"),
                Message("demo.through-bind-mount"),
                OpenRoute.BIND_MOUNT,
            ),
            opening(
                own_session(LI),
                DRAWINGS,
                denied("level"),
                Message("demo.through-own-namespace"),
                OpenRoute.NAMESPACE,
            ),
        ),
    ),
    Scene(
        Message("demo.scene-decider-killed"),
        (
            SceneStep(
                Message("demo.sigkill-decider"),
                outcomes.RESTARTED,
                _traffic(outcomes.of_kills),
            ),
            SceneStep(Message("demo.cleared-readers"), outcomes.RECORDED, _traffic(outcomes.of_cleared)),
            SceneStep(
                Message("demo.uncleared-readers"),
                outcomes.CLOSED,
                _traffic(outcomes.of_uncleared),
            ),
        ),
    ),
    Scene(
        Message("demo.scene-remount"),
        (
            SceneStep(
                Message("demo.remounted-li-si"),
                denied("level"),
                lambda site: _after_remount(site, LI),
            ),
            SceneStep(
                Message("demo.remounted-zhang-san"),
                ALLOWED,
                lambda site: _after_remount(site, ZHANG, remount_first=False),
            ),
            SceneStep(
                Message("demo.released-then-mounted"),
                outcomes.GUARDED,
                lambda site: outcomes.of_late_mount(site.mounts_late()),
            ),
        ),
    ),
    Scene(
        Message("demo.scene-room"),
        (
            showing(ZHANG, DESIGN, denied("two-person"), Message("demo.zhang-san-presents-badge")),
            showing(ZHOU, DESIGN, ALLOWED, Message("demo.zhou-jiu-presents-badge-too")),
            showing(LI, DESIGN, denied("level"), Message("demo.li-si-presents-badge")),
            showing(GUEST, DESIGN, denied("escort"), Message("demo.visitor-without-escort")),
            showing(SUN, DESIGN, ALLOWED, Message("demo.sun-ba-escorts-visitor")),
            SceneStep(Message("demo.door-forced"), outcomes.ALARMED, _forced),
        ),
    ),
    Scene(
        Message("demo.scene-rights-end"),
        (
            *_losing(
                ZHOU,
                LossAct.GRANT,
                "grant",
                Message("demo.zhou-jiu-grant-ended"),
                Message("demo.opens-after-grant-restored"),
            ),
            *_losing(
                ZHANG,
                LossAct.LIST,
                "scope",
                Message("demo.zhang-san-moved-by-list"),
                Message("demo.opens-after-list-restored"),
            ),
        ),
    ),
    Scene(
        Message("demo.scene-hold"),
        (
            SceneStep(
                Message("demo.zhang-san-put-on-hold"),
                outcomes.STOPPED,
                _cut(outcomes.of_reader),
            ),
            SceneStep(
                Message("demo.sun-ba-reads-same-file"),
                outcomes.UNDISTURBED,
                _cut(outcomes.of_bystander),
            ),
            opening(own_session(ZHANG), DRAWINGS, denied("hold"), Message("demo.zhang-san-opens-again")),
        ),
    ),
    Scene(
        Message("demo.scene-offboarding"),
        (
            SceneStep(
                Message("demo.zhou-jiu-notice-delivered"),
                outcomes.STOPPED,
                _departure(outcomes.of_leaver),
            ),
            SceneStep(Message("demo.process-of-zhou-jiu"), outcomes.GONE, _departure(outcomes.of_process)),
            SceneStep(
                Message("demo.sun-ba-reads-same-file"),
                outcomes.UNDISTURBED,
                _departure(outcomes.of_colleague),
            ),
            opening(
                ActingPerson(None, ZHOU),  # their own uid is denied by an ACL entry before the rules decide
                DRAWINGS,
                denied("departure"),
                Message("demo.root-sudo-login-zhou-jiu"),
            ),
        ),
    ),
    Scene(
        Message("demo.scene-still-inside"),
        (
            SceneStep(Message("demo.officer-must-attend"), outcomes.ALARMED, _found_inside),
            showing(ZHOU, DESIGN, outcomes.OUT, Message("demo.zhou-jiu-leaves"), "out"),
            showing(ZHOU, DESIGN, denied("departure"), Message("demo.zhou-jiu-returns")),
        ),
    ),
    Scene(
        Message("demo.scene-receipt"),
        (
            SceneStep(Message("demo.verified-public-key-alone"), outcomes.PROVEN, _proof(outcomes.of_receipt)),
            SceneStep(Message("demo.all-doors"), outcomes.REFUSING, _proof(outcomes.of_doors)),
            SceneStep(Message("demo.entries-of-case"), outcomes.TRACED, _proof(outcomes.of_trail)),
        ),
        receipt,
    ),
    Scene(
        Message("demo.scene-explanation"),
        (
            SceneStep(
                Message("demo.explanation"),
                outcomes.explained("training"),
                lambda site: outcomes.of_explanation(site.explain(ZHAO, DRAWINGS.document)),
            ),
        ),
        explanation(ZHAO, DRAWINGS),
    ),
    Scene(
        Message("demo.scene-log"),
        (
            SceneStep(
                Message("demo.verification"),
                outcomes.WHOLE,
                lambda site: outcomes.of_verification(site.verify()),
            ),
        ),
        log,
    ),
)
FILE_SCENES = STORY[:7]  # the scenes that kill no process and need no room
