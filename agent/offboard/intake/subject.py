"""Whom a token is about: how the sender names them (RFC 9493), and who that is here by the mapping the site keeps.

Rules of this file: pure. An employee number of the token's own issuer is the person's id here unless the site says
otherwise; every other name counts only where the site has written down whose it is. A name in two places of one token
must be the same name. What is no name of one person (a group, a device, a whole tenant) is none here.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple

from agent.offboard.intake.reasons import BadTokenError
from rules.visible import visible

Format = Literal["number", "email", "iss_sub"]
Lookup = Callable[[Format, str, str], str | None]  # format, issuer, value → the person's id here, if the site says so

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
        """Return who that is in a token of *issuer*: an id, which may be nobody's; empty where nothing says who."""
        if self.format != "number":
            return lookup(self.format, self.iss, self.value) or ""
        return lookup("iss_sub", issuer, self.value) or lookup("number", "", self.value) or self.value


def approver(name: str, issuer: str, lookup: Lookup) -> str:
    """Return who the approver *name* of *issuer* is here: an employee number, as a leaver's is read, or an address.

    Somebody has as many names as the site says, and is one person among approvers all the same.
    """
    mapped = lookup("email", "", name.casefold()) if "@" in name else None
    return mapped or SubjectId("number", name).person(issuer, lookup)


def unmapped(_format: Format, _iss: str, _value: str) -> None:
    """Look up nothing: a site without a mapping."""


def subject_of(claims: Mapping[str, Any], details: Mapping[str, Any], issuer: str) -> SubjectId:
    """Return whom a token of *issuer* names: ``sub_id``, or ``subject`` in the event as drafts of RISC and CAEP had it.

    Raises :class:`BadTokenError`.
    """
    found = {_read(given, issuer) for given in (claims.get("sub_id"), details.get("subject")) if given is not None}
    if not found:
        raise BadTokenError("claim-missing", "sub_id")
    if len(found) > 1:
        raise BadTokenError("subject")
    return found.pop()


def normal(given: SubjectId) -> SubjectId:
    """Return *given* as it is kept and compared: an e-mail address in one spelling."""
    return SubjectId("email", given.value.casefold()) if given.format == "email" else given


def _read(given: object, issuer: str) -> SubjectId:
    if not isinstance(given, dict):
        raise BadTokenError("subject")
    if given.get("format") == "complex" and given.keys() == {"format", "user"}:  # SSF 1.0 section 3.2: of one member
        given = given["user"]
    if not isinstance(given, dict):
        raise BadTokenError("subject")
    if "format" not in given and "subject_type" in given:  # the member's name in RISC before 1.0
        given = {"format" if name == "subject_type" else name: value for name, value in given.items()}
    form = given.get("format")
    if form in ("iss_sub", "iss-sub") and given.keys() == _ISS_SUB:
        iss, sub = _plain(given["iss"]), _plain(given["sub"])
        return SubjectId("number", sub) if iss == issuer else SubjectId("iss_sub", sub, iss)
    if form == "email" and given.keys() == _EMAIL and "@" in _plain(given["email"]):
        return normal(SubjectId("email", given["email"]))
    if isinstance(form, str) and form not in ("iss_sub", "iss-sub", "email"):
        raise BadTokenError("subject", form)
    raise BadTokenError("subject")


def _plain(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST or visible(value) != value or value != value.strip():
        raise BadTokenError("subject")
    return value
