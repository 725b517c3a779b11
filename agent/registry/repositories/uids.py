"""What a Linux uid may stand for.

Rules of this file: a uid means one subject. It is a person's or a service's, never both: a person who may run a
service's executable under their own uid would have the service's rights.
"""

from agent.errors import RefusedError
from rules.text import Text
from rules.visible import visible

_SHARED = frozenset((65534, 4294967295))  # nobody (also every unmapped uid), and "no uid" of setresuid(2)


def check_uid(uid: int) -> None:
    """Raise :class:`agent.errors.RefusedError` for a uid that is nobody's in particular."""
    if not 0 <= uid <= 0xFFFFFFFF or uid in _SHARED:
        raise RefusedError(
            Text(f"uid {uid} stands for no particular subject", f"uid {uid} 不代表任何特定主体"),
            Text("give each person and service a uid of its own", "请为每个人员和服务分配独立的 uid"),
        )


def already_of(uid: int, owner: str, what: Text) -> RefusedError:
    """Return the refusal of a uid that belongs to *owner*, a subject of the other kind."""
    return RefusedError(
        Text(
            f"uid {uid} belongs to the {what.en} `{visible(owner)}`",
            f"uid {uid} 已属于{what.zh} `{visible(owner)}`",
        ),
        Text("a uid is a person's or a service's, never both", "同一 uid 不能既属于人员又属于服务账户"),
    )
