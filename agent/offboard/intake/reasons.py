"""Reasons why a token or a file is not taken: one word for programs, one sentence for people.

Rules of this file: a reason is never shown without its sentence, and its word never changes once released: sites search
their logs for it. Foreign text enters a sentence through ``visible`` only, shortened.
"""

from datetime import datetime
from typing import Final

from agent.errors import RefusedError
from rules.text import Message, Sentence
from rules.visible import visible

_LONGEST = 120  # characters of foreign text in one sentence

REASONS: Final[dict[str, Sentence]] = {
    # the file
    "not-a-file": Message("hr.not-a-regular-file"),
    "wrong-owner": Message("hr.wrong-owner"),
    "hard-linked": Message("hr.file-hard-linked"),
    "unreadable": Message("hr.file-unreadable"),
    "too-large": Message("hr.file-too-large"),
    # the form
    "not-a-token": Message("hr.not-a-token"),
    "not-json": Message("hr.not-a-json-object"),
    "too-deep": Message("hr.json-too-deep"),
    "duplicate-member": Message("hr.json-member-duplicate"),
    "header": Message("hr.header-member-not-allowed"),
    "type": Message("hr.type-wrong"),
    # the signature
    "key-unknown": Message("hr.key-not-pinned"),
    "key-purpose": Message("hr.key-not-permitted"),
    "algorithm": Message("hr.algorithm-mismatch"),
    "signature": Message("hr.signature-invalid"),
    "issuer": Message("hr.issuer-key-mismatch"),
    "audience": Message("hr.audience-mismatch"),
    # the claims
    "claim-missing": Message("hr.claim-missing"),
    "claim-wrong": Message("hr.claim-malformed"),
    "claim-forbidden": Message("hr.claim-not-allowed"),
    "from-the-future": Message("hr.dated-far-ahead"),
    "ahead": Message("hr.dated-ahead"),
    "subject": Message("hr.subject-format-unsupported"),
    "events": Message("hr.not-one-event"),
    "event-unknown": Message("hr.event-unsupported"),
    "event-wrong": Message("hr.event-malformed"),
    # the approvals
    "approvals-missing": Message("hr.approvals-missing"),
    "approval-wrong": Message("hr.approval-invalid"),
    "approval-of-something-else": Message("hr.approval-of-other-matter"),
    "approver-twice": Message("hr.approver-duplicate"),
    "approver-not-named": Message("hr.signer-not-an-approver"),
    "own-approval": Message("hr.leaver-among-approvers"),
    "approver-out": Message("hr.approvers-not-entitled"),
    # the history
    "replayed": Message("hr.replayed"),
    "number-reused": Message("hr.number-reused"),
    "superseded": Message("hr.superseded-by-newer-event"),
    "unknown-person": Message("hr.person-unknown"),
    # what became of it
    "overtaken": Message("hr.overtaken-by-later-departure"),
    "sooner": Message("hr.access-ended-early"),
    "refused": Message("hr.request-refused"),
    # not a refusal
    "not-begun": Message("hr.accepted-not-started"),
    "accepted": Message("hr.accepted"),
    "late": Message("hr.accepted-late"),
}


def sentence(reason: str, detail: str = "") -> Sentence:
    """Return the sentence of *reason*, with the *detail* in backticks if there is one."""
    text = REASONS[reason]
    if not detail:
        return text
    shown_detail = visible(detail[:_LONGEST])
    return Message("common.labelled-name", label=text, name=shown_detail)


class BadTokenError(RefusedError):
    """A token that is not taken. ``reason`` is a key of :data:`REASONS`; ``text`` is its sentence with the detail."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(sentence(reason, detail))
        self.reason = reason


class AheadError(BadTokenError):
    """A token that is right in everything else and will be in time at *until*."""

    def __init__(self, detail: str, until: datetime) -> None:
        super().__init__("ahead", detail)
        self.until = until
