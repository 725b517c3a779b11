"""Operations on offboarding cases 离岗离职, from notice to closing. All acts belong to the security officer.

``by`` is the id of the person who did what is recorded (signed the form, received the keys). Acts that give access back
(``rescind`` after the approval, ``restore``) or that need a second officer (``confirm``) take no ``by``: the caller is
accountable.
"""

from agent.api.operations.people import PAPER, PAPER_DATE
from agent.api.operations.schema import ANY, OFFICERS, SECURITY, Operation, Param
from rules.offboarding.measure import Keeper
from rules.offboarding.vocabulary import CaseKind
from rules.text import Message

_CASE = Param("person", "text", Message("operations.person-or-case"), required=True, positional=True)
_RUN = Param(
    "person",
    "text",
    Message("operations.person-case-or-revocation"),
    required=True,
    positional=True,
)
_REASON = Param("reason", "text", Message("operations.reason"), required=True)
_DONE_BY = Param("by", "text", Message("operations.done-by"), metavar="PERSON")
_LAST_DAY = Param("last_day", "text", Message("common.last-day-of-work"), required=True, metavar="DATE")
_KIND = Param("kind", "text", Message("operations.case-kind"), choices=tuple(CaseKind))
_EFFECTIVE = Param(
    "effective",
    "text",
    Message("operations.leave-date"),
    metavar="TIME",
)
_BATCH = Param("batch", "text", Message("operations.batch-name"), metavar="BATCH")
_MEASURE = Param("measure", "text", Message("operations.measure"), required=True, positional=True)
_ON = Param("on", "text", Message("operations.measure-date"), metavar="DATE")
_BY = (_DONE_BY, PAPER, PAPER_DATE)
_REFERENCE = Param("reference", "text", Message("common.number-personnel-system"))

OPERATIONS = (
    Operation(
        "case.open",
        Message("operations.open-case"),
        SECURITY,
        (
            Param("person", "text", Message("common.id-person"), required=True, positional=True),
            _LAST_DAY,
            _KIND,
            Param("noticed", "since", Message("operations.notice-date"), metavar="DATE"),
            Param("department", "text", Message("operations.transfer-department")),
            Param("post", "text", Message("operations.transfer-post")),
            Param("reason", "text", Message("operations.reason")),
            _REFERENCE,
            _EFFECTIVE,
            _BATCH,
        ),
        act=True,
    ),
    Operation(
        "case.approve",
        Message("operations.approve-case"),
        SECURITY,
        (
            _CASE,
            Param("as", "text", Message("operations.approval-role"), metavar="ROLE"),
            *_BY,
            Param("opinion", "text", Message("operations.approval-opinion")),
        ),
        act=True,
    ),
    Operation(
        "case.confirm",
        Message("operations.confirm-administrator-leaves"),
        SECURITY,
        (_CASE,),
        act=True,
    ),
    Operation(
        "case.advance",
        Message("operations.advance-leave-date"),
        SECURITY,
        (_CASE, Param("to", "text", Message("operations.earlier-leave-date"), metavar="TIME")),
        act=True,
    ),
    Operation(
        "case.carry-out",
        Message("operations.carry-out-leave-date"),
        SECURITY,
        (_CASE,),
        act=True,
    ),
    Operation("case.return", Message("operations.return-case"), SECURITY, (_CASE, _REASON, *_BY), act=True),
    Operation(
        "case.add-line",
        Message("operations.add-hand-over-item"),
        SECURITY,
        (
            _CASE,
            Param("line", "text", Message("operations.hand-over-item-name"), required=True, positional=True),
            Param("what", "text", Message("operations.hand-over-subject"), required=True),
            Param("to", "text", Message("operations.receiving-department"), required=True, metavar="DEPARTMENT"),
        ),
        act=True,
    ),
    Operation(
        "case.hand-over",
        Message("operations.sign-hand-over"),
        SECURITY,
        (
            _CASE,
            Param(
                "line",
                "text",
                Message("operations.hand-over-item"),
                required=True,
                positional=True,
            ),
            *_BY,
            Param(
                "missing",
                "text",
                Message("operations.write-off-reason"),
                metavar="REASON",
            ),
        ),
        act=True,
    ),
    Operation(
        "case.educate",
        Message("operations.record-education"),
        SECURITY,
        (_CASE, *_BY, Param("note", "text", Message("operations.education-note"))),
        act=True,
    ),
    Operation(
        "case.exam",
        Message("operations.record-exam"),
        SECURITY,
        (_CASE, *_BY, Param("failed", "flag", Message("operations.exam-failed"))),
        act=True,
    ),
    Operation(
        "case.sign",
        Message("operations.sign-document"),
        SECURITY,
        (
            _CASE,
            Param(
                "document",
                "text",
                Message("operations.document"),
                required=True,
                positional=True,
            ),
            *_BY,
        ),
        act=True,
    ),
    Operation(
        "case.cool-off",
        Message("operations.decide-cooling-off"),
        SECURITY,
        (
            _CASE,
            Param("until", "until", Message("operations.until-inclusive"), metavar="DATE"),
            Param("none", "flag", Message("operations.no-cooling-off")),
            Param("reason", "text", Message("operations.reason")),
            *_BY,
        ),
        act=True,
    ),
    Operation(
        "case.measure",
        Message("operations.record-measure"),
        SECURITY,
        (
            _CASE,
            _MEASURE,
            _ON,
            Param("party", "text", Message("operations.measure-party")),
            Param(
                "to",
                "text",
                Message("operations.cooling-off-keeper"),
                choices=(Keeper.RECEIVING.value, Keeper.AUTHORITY.value),
            ),
            Param("item", "text", Message("operations.measure-document-kept")),
            Param("note", "text", Message("operations.measure-note")),
            *_BY,
        ),
        act=True,
    ),
    Operation(
        "case.end-measure",
        Message("operations.end-measure"),
        SECURITY,
        (_CASE, _MEASURE, Param("item", "text", Message("operations.measure-document-returned")), _ON, *_BY),
        act=True,
    ),
    Operation("case.papers", Message("common.release-papers"), SECURITY, (_CASE, *_BY), act=True),
    Operation("case.close", Message("operations.close-case"), SECURITY, (_CASE, *_BY), act=True),
    Operation(
        "case.rescind",
        Message("operations.rescind-case"),
        SECURITY,
        (_CASE, _REASON),
        act=True,
    ),
    Operation(
        "case.withdraw",
        Message("operations.withdraw-notice"),
        SECURITY,
        (_CASE, _REASON),
        act=True,
    ),
    Operation(
        "case.resume",
        Message("operations.resume-person"),
        SECURITY,
        (_CASE, Param("reason", "text", Message("operations.reason"))),
        act=True,
    ),
    Operation(
        "case.restore",
        Message("operations.restore-grant"),
        SECURITY,
        (_CASE, Param("grant", "text", Message("operations.grant-number"), required=True, positional=True)),
        act=True,
        gives=True,
    ),
    Operation(
        "case.notice",
        Message("operations.accept-hr-approval"),
        SECURITY,
        (
            Param("person", "text", Message("common.id-person"), required=True, positional=True),
            Param("approver", "texts", Message("operations.hr-approver"), required=True),
            _LAST_DAY,
            _KIND,
            Param("department", "text", Message("operations.transfer-department")),
            Param("post", "text", Message("operations.transfer-post")),
            _REFERENCE,
            Param("class", "text", Message("operations.hr-person-class")),
            Param("cooling_off_until", "until", Message("operations.cooling-off-end"), metavar="DATE"),
            _EFFECTIVE,
            _BATCH,
        ),
        act=True,
    ),
    Operation(
        "case.release",
        Message("operations.release-token"),
        OFFICERS,
        (
            Param(
                "name",
                "text",
                Message("operations.quarantined-name"),
                required=True,
                positional=True,
            ),
        ),
        act=True,
    ),
    Operation(
        "case.quarantine",
        Message("operations.list-quarantine"),
        ANY,
        (),
        stream=True,
    ),
    Operation(
        "case.plan",
        Message("common.plan-departure-help"),
        ANY,
        (_CASE,),
    ),
    Operation(
        "case.receipt",
        Message("operations.show-receipt"),
        ANY,
        (_RUN,),
    ),
    Operation(
        "case.receipts",
        Message("operations.list-receipts"),
        ANY,
        (Param("person", "text", Message("common.id-person"), required=True, positional=True),),
        stream=True,
    ),
    Operation(
        "case.progress",
        Message("operations.show-revocation-progress"),
        ANY,
        (_CASE,),
    ),
    Operation(
        "case.trends",
        Message("common.how-long-revocations-took-median"),
        ANY,
        (),
    ),
    Operation("case.show", Message("operations.show-case"), ANY, (_CASE,)),
    Operation("case.status", Message("operations.show-case-status"), ANY, (_CASE,)),
    Operation(
        "case.list",
        Message("operations.list-cases"),
        ANY,
        (
            Param("person", "text", Message("operations.only-person"), metavar="PERSON"),
            _BATCH,
            Param("all", "flag", Message("operations.ended-too")),
        ),
        stream=True,
    ),
    Operation(
        "case.batches",
        Message("operations.list-batches"),
        ANY,
        (Param("all", "flag", Message("operations.ended-too")),),
        stream=True,
    ),
)
