"""Commands of the command line without a key in the terminal, each with the reason.

Rules of this file: declarations only. A command stands either here or in the ``ops`` or ``also`` of an action: a test
compares them.
"""

from rules.text import Message, Sentence

_SHELL = Message("keys.elsewhere-starts-the-agent")
_TRIAL = Message("keys.elsewhere-for-trial")
_DOSSIER = Message("keys.elsewhere-in-dossier")
_LOG = Message("keys.elsewhere-in-access-log")

_HR = Message("keys.elsewhere-on-hr-host")

_PEOPLE = Message("keys.elsewhere-without-role")

_GLASS = Message("keys.elsewhere-break-glass")

ELSEWHERE: dict[str, Sentence] = {
    "breakglass.seal": Message("keys.elsewhere-prints-secret"),
    "breakglass.open": _GLASS,
    "breakglass.close": _GLASS,
    "breakglass.show": _GLASS,
    "init": _SHELL,
    "run": _SHELL,
    "tui": Message("keys.elsewhere-is-the-terminal"),
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
    "door.show": Message("keys.elsewhere-in-room-details"),
    "door.test": Message("keys.elsewhere-live-readers"),
    "case.status": Message("keys.elsewhere-in-case-details"),
    "log.list": _LOG,
    "log.follow": _LOG,
    "log.show": _LOG,
    "volume.create": Message("keys.elsewhere-makes-filesystem"),
    "service.renew": Message("keys.elsewhere-after-inspection"),
    "pack.list": Message("keys.elsewhere-listed-in-rules"),
}
