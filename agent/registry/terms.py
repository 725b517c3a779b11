"""Terms of the registry's sentences: one term for each thing.

Rules of this file: terms only, as in the glossary.
"""

from rules.text import Message

# Registered objects.
PERSON = Message("common.person")
ACCOUNT = Message("common.account")
SERVICE = Message("common.service")
BADGE = Message("common.badge")
PIN = Message("common.pin")
AREA = Message("registry.area")
ROOM = Message("registry.room")
RESOURCE = Message("registry.area-or-room")
DOOR = Message("common.door")
READER = Message("registry.reader")
GRANT = Message("common.grant")
HOLD = Message("common.hold")
LOSS = Message("registry.loss-of-rights")
RECORD = Message("registry.record")
CASE = Message("registry.case")
DEPARTURE = Message("registry.departure")
VISIT = Message("registry.visit")
DECLARATION = Message("common.declaration")
ALARM = Message("common.alarm")
PROPOSAL = Message("common.proposal")

# Their attributes.
DOMAIN = Message("common.domain")
DEPARTMENT = Message("common.department")
PROJECT = Message("registry.project")
REASON = Message("registry.reason")
PURPOSE = Message("common.purpose")
APPROVER = Message("registry.approver")
OFFICER = Message("registry.officer")
