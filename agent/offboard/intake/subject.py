"""Subjects of tokens: the names a sender uses for a person (RFC 9493), and their mapping to a person of this site.

Rules of this file: pure. An employee number of the token's own issuer is the person's id here unless the site states
otherwise; every other name counts only where the site has recorded its owner. A name in two places of one token must be
the same name. A name of something other than one person (a group, a device, a whole tenant) is not accepted.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

from agent.offboard.intake.reasons import BadTokenError
from rules.visible import visible

Format = Literal["number", "email", "iss_sub"]
Lookup = Callable[[Format, str, str], str | None]  # format, issuer, value → the person's id here, if the site maps it

FORMATS: Final[tuple[Format, ...]] = ("number", "email", "iss_sub")
LONGEST: Final = 256  # characters of an identifier
_ISS_SUB: Final = frozenset(("format", "iss", "sub"))
_EMAIL: Final = frozenset(("format", "email"))


class SubjectId(NamedTuple):
    """A name of one person. ``number`` is one of the token's own issuer, ``iss_sub`` one of the issuer it names."""

    format: Format
    value: str
    iss: str = ""

    def __str__(self) -> str:
        """Return it for people: an employee number as it is, every other name with its format."""
        return " ".join(part for part in (self.format * (self.format != "number"), self.iss, self.value) if part)

    def person(self, issuer: str, lookup: Lookup) -> str:
        """Return the person of this name in a token of *issuer*: an id, which may be unknown; empty: no mapping."""
        if self.format != "number":
            return lookup(self.format, self.iss, self.value) or ""
        return lookup("iss_sub", issuer, self.value) or lookup("number", "", self.value) or self.value


def approver(name: str, issuer: str, lookup: Lookup) -> str:
    """Return the approver *name* of *issuer* as a person here: by employee number, like a leaver's, or by address.

    A person may have several names in the site's mapping, and is one person among approvers all the same.
    """
    mapped = lookup("email", "", name.casefold()) if "@" in name else None
    return mapped or SubjectId("number", name).person(issuer, lookup)


def unmapped(_format: Format, _iss: str, _identifier: str) -> None:
    """Return nothing: the lookup of a site without a mapping."""


def subject_of(claims: Mapping[str, Any], details: Mapping[str, Any], issuer: str) -> SubjectId:
    """Return the subject of a token of *issuer*: ``sub_id``, or ``subject`` in the event as in drafts of RISC and CAEP.

    Raises :class:`BadTokenError`.
    """
    subjects = {_read(named, issuer) for named in (claims.get("sub_id"), details.get("subject")) if named is not None}
    if not subjects:
        raise BadTokenError("claim-missing", "sub_id")
    if len(subjects) > 1:
        raise BadTokenError("subject")
    return subjects.pop()


def normal(subject: SubjectId) -> SubjectId:
    """Return *subject* as it is stored and compared: an e-mail address in one spelling."""
    return SubjectId("email", subject.value.casefold()) if subject.format == "email" else subject


def _read(member: object, issuer: str) -> SubjectId:
    if not isinstance(member, dict):
        raise BadTokenError("subject")
    if member.get("format") == "complex" and member.keys() == {"format", "user"}:  # SSF 1.0 section 3.2: of one member
        member = member["user"]
    if not isinstance(member, dict):
        raise BadTokenError("subject")
    if "format" not in member and "subject_type" in member:  # the member's name in RISC before 1.0
        member = {"format" if name == "subject_type" else name: field for name, field in member.items()}
    form = member.get("format")
    if form in ("iss_sub", "iss-sub") and member.keys() == _ISS_SUB:
        iss, sub = _plain(member["iss"]), _plain(member["sub"])
        return SubjectId("number", sub) if iss == issuer else SubjectId("iss_sub", sub, iss)
    if form == "email" and member.keys() == _EMAIL and "@" in _plain(member["email"]):
        return normal(SubjectId("email", member["email"]))
    if isinstance(form, str) and form not in ("iss_sub", "iss-sub", "email"):
        raise BadTokenError("subject", form)
    raise BadTokenError("subject")


def _plain(text: object) -> str:
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST or visible(text) != text or text != text.strip():
        raise BadTokenError("subject")
    return text
