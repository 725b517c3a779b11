"""What the registry takes as a name or as words, and how it says that something is unknown or taken.

Rules of this file: a refusal says why and what helps. What the site names itself (people, areas, rooms, services,
badges) must be plain to read and to type; what people write in their own words (names, reasons, notes) is stored
exactly as it came, control bytes included.
"""

from agent.errors import RefusedError
from rules.text import Text
from rules.visible import visible

_NAME_LIMIT = 128  # characters of an identifier
_WORDS_LIMIT = 2_000  # characters of free text: an act that carries it must fit one line of the log


def identifier(value: str, what: Text) -> str:
    """Return *value* when it can name something: 1 to 128 plain characters, no blanks around, no leading - or /.

    Two names that look alike on a screen (invisible or bidirectional characters) would be an attack on the officer.
    """
    plain = bool(value) and value == value.strip() and visible(value) == value and len(value) <= _NAME_LIMIT
    if plain and value[0] not in "-/":
        return value
    raise RefusedError(
        Text(f"`{visible(value)}` cannot name a {what.en}", f"`{visible(value)}` 不能用作{what.zh}的标识"),
        Text(
            f"use 1 to {_NAME_LIMIT} visible characters without blanks around them, not starting with - or /",
            f"请使用 1 至 {_NAME_LIMIT} 个可见字符，首尾无空格，不以 - 或 / 开头",
        ),
    )


def words(value: str, what: Text, *, required: bool = False) -> str:
    """Return free text unchanged.

    Raises :class:`RefusedError` when it is too long, blank though required, or not text.
    """
    if required and not value.strip():
        raise RefusedError(
            Text(f"the {what.en} is missing", f"缺少{what.zh}"),
            Text(f"say the {what.en} in words", f"请写明{what.zh}"),
        )
    if len(value) > _WORDS_LIMIT:
        raise RefusedError(
            Text(f"the {what.en} has {len(value)} characters", f"{what.zh}长达 {len(value)} 个字符"),
            Text(f"use {_WORDS_LIMIT} at most", f"最多 {_WORDS_LIMIT} 个"),
        )
    try:
        value.encode()
    except UnicodeEncodeError:
        raise RefusedError(
            Text(f"the {what.en} `{visible(value)}` is not valid text", f"{what.zh} `{visible(value)}` 不是有效文本"),
            Text("give it in UTF-8", "请使用 UTF-8 编码"),
        ) from None
    return value


def unknown(what: Text, name: str, command: str) -> RefusedError:
    """Return the error for something the registry does not have; *command* lists what it has."""
    shown = visible(name)
    return RefusedError(
        Text(f"there is no {what.en} `{shown}`", f"没有{what.zh} `{shown}`"),
        Text(f"see `{command}`", f"参见 `{command}`"),
    )


def taken(what: Text, name: str, owner: str, hint: Text) -> RefusedError:
    """Return the error for something that is there already and belongs to *owner*."""
    whose_en = f" and belongs to `{visible(owner)}`" if owner else ""
    whose_zh = f"，属于 `{visible(owner)}`" if owner else ""
    shown = visible(name)
    return RefusedError(
        Text(f"{what.en} `{shown}` exists already{whose_en}", f"{what.zh} `{shown}` 已存在{whose_zh}"), hint
    )


def without_case(person: str) -> RefusedError:
    """Return the refusal for a registered person who is not leaving and never was."""
    shown = visible(person)
    return RefusedError(
        Text(f"`{shown}` has no departure case", f"`{shown}` 没有离岗办理"),
        Text(f"see `shoumi case open {shown} --last-day DATE`", f"参见 `shoumi case open {shown} --last-day 日期`"),
    )
