"""Terms for the codes of the log, the registry and JSON: one table for lists, pages and screens.

Rules of this file:
- pure, and imported by every client: the command line, receipts, the terminal. It imports only ``rules``;
- codes are part of the product and never change; the term for a code may. JSON keeps the code;
- an unknown code (another version's, a site's own) is shown as it is, never left out and never an error.
"""

from collections.abc import Mapping

from rules.model import Level
from rules.offboarding.measure import Keeper
from rules.offboarding.vocabulary import CaseKind, CaseStep
from rules.text import Message, Sentence, foreign

Words = Mapping[str, Sentence]

# Verdicts and modes ---------------------------------------------------------------------------------------------------

VERDICTS: Words = {"allow": Message("common.allow-verdict"), "deny": Message("common.deny")}
MODES: Words = {"enforce": Message("terms.mode-enforce"), "observe": Message("terms.mode-observe")}
LEVELS: Words = {level.word: level.text for level in Level}
DOMAINS: Words = {  # those of the packs that come with the program; a site's own are shown as it named them
    "state": Message("terms.domain-state"),
    "commercial": Message("terms.domain-commercial"),
    "unit": Message("terms.domain-unit"),
    "work": Message("terms.domain-work"),
    "privacy": Message("terms.domain-privacy"),
}
PROPOSAL_OUTCOMES: Words = {
    "confirmed": Message("common.confirmed"),
    "refused": Message("terms.proposal-refused"),
    "withdrawn": Message("terms.withdrawn"),
    "lapsed": Message("terms.lapsed"),
}
YES_NO: Words = {"yes": Message("common.yes"), "no": Message("common.no-plain")}

# People, their badges and cases ---------------------------------------------------------------------------------------

EMPLOYMENTS: Words = {
    "regular": Message("terms.employment-regular"),
    "temporary": Message("terms.employment-temporary"),
    "intern": Message("common.intern"),
    "outsourced": Message("common.outsourced"),
    "visitor": Message("common.visitor"),
}
BADGES: Words = {
    "active": Message("terms.active"),
    "lost": Message("terms.badge-lost"),
    "returned": Message("terms.badge-returned"),
}
STAGES: Words = {
    "notice": Message("common.notice-given"),
    "approved": Message("terms.access-ended"),
    "cooling-off": Message("terms.cooling-off"),
    "closed": Message("common.case-closed"),
}
DEPARTURES: Words = {kind.value: kind.text for kind in CaseKind}
KEEPERS: Words = {keeper.value: keeper.text for keeper in Keeper}
STEPS: Words = {step.value: step.text for step in CaseStep}
ROLES: Words = {  # of the agent itself; a pack has a title for every approver it names
    "system": Message("common.system-administrator"),
    "security": Message("common.security-officer"),
    "auditor": Message("common.auditor"),
    "officer": Message("common.security-officer"),
    "bootstrap": Message("terms.role-bootstrap"),
    "break-glass": Message("common.root-by-break-glass"),
}
HANDS: Words = {  # of an act that gives access without confirmation by a second officer
    "one-hand": Message("terms.one-officer-alone"),
    "break-glass": Message("terms.root-alone-break-glass"),
}
DISKS: Words = {
    "low": Message("terms.disk-space-is-low"),
    "urgent": Message("terms.disk-space-urgent"),
    "good": Message("terms.disk-space-sufficient"),
}

# Rooms and doors ------------------------------------------------------------------------------------------------------

SIDES: Words = {"in": Message("terms.side-in"), "out": Message("terms.side-out")}
PASSBACKS: Words = {
    "none": Message("terms.passback-none"),
    "soft": Message("common.alarm"),
    "hard": Message("terms.passback-refusal"),
}
HOW: Words = {"card": Message("terms.card"), "pin": Message("common.pin"), "button": Message("terms.button")}
CARDS: Words = {
    "put": Message("terms.card-written"),
    "gone": Message("terms.card-deleted"),
    "pending": Message("terms.card-pending"),
    "confirmed": Message("common.confirmed"),
}
RELEASES: Words = {
    "used": Message("terms.release-used"),
    "unused": Message("terms.nobody-went-through"),
    "failed": Message("terms.release-failed"),
    "unknown": Message("terms.release-unknown"),
    "?": Message("terms.not-known-yet"),
}
ALARMS: Words = {
    "forced": Message("terms.forced-open"),
    "held": Message("terms.held-open"),
    "tamper": Message("terms.tampered"),
    "power": Message("terms.power-failure"),
    "offline": Message("terms.offline"),
    "duress": Message("common.duress"),
    "guessing": Message("terms.pin-guessing"),
    "passback": Message("terms.passback"),
    "two-places": Message("terms.two-places"),
    "copied": Message("terms.copied-card"),
    "untrusted": Message("terms.untrusted-read"),
    "flood": Message("terms.badge-read-flood"),
    "flutter": Message("terms.contact-flutters"),
    "clock": Message("terms.clock-wrong"),
    "lone": Message("terms.one-person-alone"),
    "unescorted": Message("terms.visitor-without-escort"),
    "stopped-inside": Message("terms.on-hold-while-inside"),
    "badge-gone": Message("terms.badge-invalid-inside"),
    "own-decision": Message("terms.board-decided"),
    "not-released": Message("terms.lock-not-released"),
    "unrecorded": Message("terms.not-recorded"),
    "log-older": Message("terms.log-old-copy"),
    "signing-key": Message("terms.receipt-key-alarm"),
    "over-budget": Message("terms.over-budget"),
    "break-glass": Message("terms.break-glass-used"),
    "disk-low": Message("terms.disk-space-low"),
    "service-program": Message("terms.service-program-alarm"),
}

PROGRAMS: Words = {  # states of the program of a service account
    "registered": Message("terms.program-as-registered"),
    "unseen": Message("terms.program-unchecked"),
    "gone": Message("terms.program-missing"),
    "changed": Message("terms.program-changed"),
    "writable": Message("terms.program-writable"),
    "hash": Message("terms.hash-mismatch"),
}

# The log --------------------------------------------------------------------------------------------------------------

ACTIONS: Words = {
    "open": Message("common.open"),
    "list": Message("terms.action-list"),
    "access": Message("terms.action-access"),
    "enter": Message("terms.action-enter"),
    "exit": Message("terms.action-leave"),
}
ENTRIES: Words = {  # kinds of entries
    "access": Message("terms.access"),
    "act": Message("terms.act"),
    "read": Message("terms.log-read"),
    "factor": Message("terms.second-factor"),
    "door": Message("terms.door"),
    "door-released": Message("terms.door-released"),
    "door-alarm": Message("terms.door-alarm"),
    "door-event": Message("terms.door-event"),
    "revocation": Message("terms.revocation"),
    "receipt": Message("common.receipt"),
    "hr-event": Message("terms.hr-event"),
    "hr-channel": Message("terms.hr-channel"),
    "expiring": Message("terms.expiring"),
    "warned": Message("terms.holder-warned"),
    "holder-ended": Message("terms.holder-ended"),
    "deny-entries": Message("terms.deny-entries-removed"),
    "labels": Message("terms.labels"),
    "volume": Message("terms.volume"),
    "held-before": Message("terms.held-before-guarded"),
    "start": Message("terms.entry-start"),
    "canary": Message("terms.canary"),
    "decider-started": Message("terms.decider-started"),
    "recovered": Message("terms.log-recovered"),
    "registry-older": Message("terms.registry-old-copy"),
    "log-older": Message("terms.log-old-copy-entry"),
    "roles-lost": Message("terms.role-groups-lost"),
    "signing-key": Message("terms.receipt-key-entry"),
    "over-budget": Message("terms.over-budget-entry"),
    "disk-low": Message("terms.disk-space"),
    "process-died": Message("terms.process-died"),
    "service-program": Message("terms.service-program-entry"),
    "pack-edited": Message("terms.pack-edited"),
    "started": Message("terms.agent-started"),
    "stopped": Message("terms.agent-stopped"),
    "clock": Message("terms.clock-set"),
    "gap": Message("terms.log-gap"),
    "log-damaged": Message("terms.log-inconsistent"),
    "missing": Message("terms.log-entry-missing"),
    "damaged": Message("terms.damaged"),
}
CLOCK_STEPS: Words = {  # reasons to judge time by the clock again after it was set
    "forward": Message("terms.clock-forward"),
    "returned": Message("terms.clock-returned"),
    "synchronised": Message("terms.clock-synchronised"),
    "officer": Message("terms.clock-accepted"),
}
HAPPENINGS: Words = {  # door events
    "open": Message("terms.door-opened"),
    "close": Message("terms.door-closed"),
    "left": Message("terms.left-by-button"),
    "day-over": Message("terms.presence-reset"),
    "reset": Message("terms.presence-corrected"),
    "not-inside": Message("terms.left-without-entering"),
    "earlier": Message("terms.earlier-events"),
    "unknown-door": Message("terms.unknown-door"),
    "unconfirmed": Message("terms.opening-not-confirmed"),
    "cards-removed": Message("terms.cards-removed-from-board"),
    "frames-dropped": Message("terms.messages-dropped"),
    "trouble": Message("common.trouble"),
    "state-lost": Message("terms.state-lost"),
    "process-ended": Message("terms.doors-process-ended"),
    "doors": Message("terms.doors"),
    **ALARMS,
    **{f"{kind}-over": Message("terms.alarm-over", text=text) for kind, text in ALARMS.items()},
}
OUTCOMES: Words = {
    "done": Message("terms.done"),
    "refused": Message("common.refused"),
    "forbidden": Message("terms.forbidden"),
    "not-completed": Message("terms.not-completed"),
    "seen": Message("terms.proof-seen"),
    "missing": Message("terms.proof-missing"),
    **RELEASES,
}

FILED: Words = {  # folders of notices of the personnel system
    "accepted": Message("terms.accepted"),
    "rejected": Message("terms.rejected"),
    "quarantine": Message("terms.quarantined"),
}
HR_ANSWERS: Words = {  # states of a notice, as the agent answers the personnel system
    "received": Message("presentation.notice-received"),
    "waiting": Message("presentation.notice-waiting"),
    "quarantined": Message("presentation.notice-quarantined"),
    "rejected": Message("presentation.notice-rejected"),
    "pending": Message("presentation.notice-pending"),
    "done": Message("presentation.notice-done"),
    "overtaken": Message("presentation.notice-overtaken"),
    "superseded": Message("presentation.notice-superseded"),
}
HR_EVENTS: Words = {
    "departure-approved": Message("terms.offboarding-approved"),
    "account-disabled": Message("terms.account-disabled"),
    "session-revoked": Message("terms.session-revoked"),
    "verification": Message("terms.hr-verification"),
}
HR_TROUBLES: Words = {  # faults of the channel of the personnel system
    "answers": Message("terms.hr-answers-failing"),
    "silence": Message("terms.hr-silence"),
    "keys": Message("terms.hr-keys-invalid"),
    "spool-replaced": Message("terms.hr-spool-replaced"),
    "spool-unusable": Message("terms.hr-spool-unusable"),
}
MAILED: Words = {  # how a warning was mailed
    "sendmail": Message("terms.mail-handed-over"),
    "spool": Message("terms.mail-in-mailbox"),
    "not": Message("terms.mail-not-sent"),
}
TOURS: Words = {  # what was done with the labels of a volume
    "relabelled": Message("terms.relabelled"),
    "scanned": Message("terms.scanned"),
}
HELD: Words = {  # how a process holds a volume
    "mount": Message("terms.mounted"),
    "open": Message("terms.file-open"),
    "inside": Message("terms.working-directory-inside"),
    "mapped": Message("terms.file-mapped"),
    "device": Message("terms.device-open"),
    "stacked": Message("terms.device-stacked"),
    "loop": Message("terms.loop-device"),
}

OWN: Words = {  # attempts of the agent itself
    "canary": Message("terms.agent-canary"),
    "departure": Message("terms.agent-proof"),
}

REVOCATIONS: Words = {  # steps, by their names in the log
    "deny": Message("common.deny-every-access"),
    "holders": Message("common.end-processes-hold-classified-files"),
    "processes": Message("common.end-every-process"),
    "units": Message("common.system-units-run-them"),
    "timers": Message("common.user-timers-autostart-lingering"),
    "sessions": Message("common.login-sessions"),
    "cron": Message("common.cron-jobs"),
    "at": Message("common.jobs"),
    "keys": Message("common.ssh-keys"),
    "account": Message("common.lock-expire-accounts"),
    "tickets": Message("common.sudo-time-stamps-kerberos-tickets"),
    "samba": Message("common.samba-connections"),
    "processes-again": Message("common.end-started-meanwhile"),
    "acl": Message("common.deny-entries-every-classified-file"),
    "acl-back": Message("common.take-deny-entries-away"),
    "doors": Message("common.every-door-refuses"),
    "proof": Message("common.proof"),
}
PARTLY: Words = {  # steps with another term where a person keeps the rights that are not named as lost
    "deny": Message("common.deny-access-lost"),
    "acl": Message("common.deny-entries-classified-files"),
}
CAUSES: Words = {  # why access ends or is restored
    "departure": Message("common.departure"),
    "hold": Message("common.hold"),
    "expiry": Message("terms.expiry"),
    "transfer": Message("terms.transfer"),
    "loss": Message("terms.rights-lost-by-act"),
    "restored": Message("terms.access-restored"),
}
KEEPING = frozenset(("transfer", "expiry", "loss"))  # causes where a person keeps the rights not named as lost

# The host -------------------------------------------------------------------------------------------------------------

TIERS: Words = {"none": Message("terms.tier-none")}  # A, B and C are names
PROCESSES: Words = {
    "holder": Message("terms.process-holder"),
    "decider": Message("terms.process-decider"),
    "control": Message("terms.process-control"),
    "doors": Message("terms.process-doors"),
    "departures": Message("terms.process-departures"),
    "label worker": Message("terms.process-label-worker"),
    "watcher": Message("terms.process-mount-watcher"),
    "verifier": Message("terms.process-verifier"),
    "gateway": Message("terms.process-gateway"),
}
DURABILITIES: Words = {
    "power": Message("terms.durability-power"),
    "process": Message("terms.durability-process"),
}
SHARING: Words = {
    "dedicated": Message("terms.filesystem-dedicated"),
    "shared": Message("terms.filesystem-shared"),
}
VOLUMES: Words = {  # states of an area's volume in an entry
    "guarded": Message("terms.volume-guarded-entry"),
    "covered": Message("terms.volume-covered-alarm"),
    "closed": Message("terms.volume-closed"),
    "not-there": Message("terms.volume-absent"),
    "unguarded": Message("terms.mounted-without-mark"),
    "inside": Message("terms.mounted-inside-area"),
    "unbound": Message("terms.mount-boundary-gone"),
    "beneath": Message("terms.volume-gone"),
    "mounted": Message("terms.mounted-without-agent"),
    "start": Message("terms.before-agent-started"),
    "ending": Message("terms.ending-holders"),
    "failed": Message("terms.not-carried-out"),
}
VOLUME_STATES: Words = {  # states of a volume that the agent mounts
    "hidden": Message("terms.volume-hidden"),
    "attached": Message("terms.volume-attached"),
    "published": Message("terms.volume-without-area"),
    "guarded": Message("terms.volume-guarded"),
    "closed": Message("terms.volume-covered"),
    "absent": Message("terms.not-mounted"),
}
HOLDERS: Words = {  # what is done with processes that held files earlier
    "name": Message("terms.holders-named"),
    "end": Message("terms.holders-ended"),
}

CHOICES: Words = {  # values of parameters that the table of operations lists
    **YES_NO, **VERDICTS, **EMPLOYMENTS, **DEPARTURES, **KEEPERS, **SIDES, **PASSBACKS, **SHARING,
    **HOLDERS, "all": Message("common.all"),
}  # fmt: skip


STEP_STATES: Words = {  # states of a revocation step
    "planned": Message("common.planned"),
    "done": Message("common.done"),
    "confirmed": Message("common.confirmed"),
    "pending": Message("common.pending"),
    "cannot-see": Message("common.cannot-see"),
    "skipped": Message("common.not-present"),
}


def revocation_step(entry: Mapping[str, object]) -> Sentence:
    """Return the name of the revocation step in an *entry* of the log."""
    terms = {**REVOCATIONS, **PARTLY} if entry.get("cause") in KEEPING else REVOCATIONS
    return word(terms, entry.get("step", ""))


def word(terms: Words, code: object) -> Sentence:
    """Return the term for *code*, or the code as it is."""
    return terms.get(str(code)) or foreign(str(code))
