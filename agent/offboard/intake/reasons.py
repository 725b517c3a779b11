"""Why a token or a file is not taken: one word for programs, one sentence for people.

Rules of this file: a reason is never shown without its sentence, and its word never changes once released: sites search
their logs for it. What a stranger wrote enters a sentence through ``visible`` only, shortened.
"""

from datetime import datetime
from typing import Final

from agent.errors import RefusedError
from rules.text import Text
from rules.visible import visible

_LONGEST = 120  # characters of foreign text in one sentence

REASONS: Final[dict[str, Text]] = {
    # the file
    "not-a-file": Text("it is a link, a directory or a device, not a file", "不是普通文件（链接、目录或设备）"),
    "wrong-owner": Text("it does not belong to HR's drop user or root", "文件属主不是人事投递用户或 root"),
    "hard-linked": Text("the file has more than one name", "文件存在多个硬链接"),
    "unreadable": Text("the file cannot be read", "文件无法读取"),
    "too-large": Text("it is larger than 64 KiB", "超过 64 KiB"),
    # the form
    "not-a-token": Text("it is not a signed token in compact form", "不是紧凑格式的签名令牌"),
    "not-json": Text("it does not hold one JSON object in UTF-8", "内容不是 UTF-8 编码的单个 JSON 对象"),
    "too-deep": Text("its JSON is nested too deeply", "JSON 嵌套过深"),
    "duplicate-member": Text("its JSON names one member twice", "JSON 中有重复的成员"),
    "header": Text("its header has a member that is not allowed", "令牌头含有不允许的成员"),
    "type": Text("it is not marked with the type it must have", "令牌类型标记不正确"),
    # the signature
    "key-unknown": Text("its key is not among the pinned ones", "签名密钥不在固定密钥之列"),
    "key-purpose": Text("its key may not sign this", "该密钥不得用于此类签名"),
    "algorithm": Text("its algorithm is not the one of its key", "签名算法与密钥规定的算法不符"),
    "signature": Text("its signature is not right", "签名验证失败"),
    "issuer": Text("its key does not belong to its issuer", "签发者与密钥不符"),
    "audience": Text("it is not addressed to this site alone", "令牌的接收方不是（或不仅是）本单位"),
    # the claims
    "claim-missing": Text("a claim is missing", "缺少必要的声明"),
    "claim-wrong": Text("a claim is not of the right form", "声明的格式不正确"),
    "claim-forbidden": Text("a claim is present that must not be", "含有不得出现的声明"),
    "from-the-future": Text("it is dated far in the future; compare the clocks", "令牌时间远在将来，请核对时钟"),
    "ahead": Text(
        "it is dated ahead of the agent's clock and waits until then; compare the clocks",
        "令牌时间晚于代理时钟，等到该时刻再判定；请核对时钟",
    ),
    "subject": Text("its subject is not named in a way that is understood", "无法识别令牌主体的写法"),
    "events": Text("it does not hold exactly one event", "令牌中的事件不是恰好一个"),
    "event-unknown": Text("its event is not one that is acted on", "不支持该事件类型"),
    "event-wrong": Text("the event is not of the right form", "事件内容的格式不正确"),
    # the approvals
    "approvals-missing": Text("fewer approvers have signed than are needed", "审批人签名数量不足"),
    "approval-wrong": Text("an approval in it is not right", "其中的审批签名无效"),
    "approval-of-something-else": Text("an approval in it is of something else", "其中的审批签名针对的不是本事项"),
    "approver-twice": Text("one approver counts twice in it", "同一审批人被重复计入"),
    "approver-not-named": Text("a signer of it is not among its approvers", "签名人不在审批人名单之列"),
    "own-approval": Text("the leaver is among the approvers", "离岗人员本人在审批人之列"),
    "approver-out": Text("too few of its approvers may act for others now", "现可代为审批的人数不足"),
    # the history
    "replayed": Text("it was received before", "该令牌此前已收到"),
    "number-reused": Text("its number was used for something else before", "令牌编号此前已用于其他内容"),
    "superseded": Text(
        "a newer event about this person, which ended as much, was received before",
        "此前已收到该人员更新且终止范围不小于本事件的事件",
    ),
    "unknown-person": Text("nobody here is named so", "本单位没有此工号或名称的人员"),
    # what became of it
    "overtaken": Text("a later departure of this person took its place", "已被该人员后续的离岗取代"),
    "sooner": Text("access ended before the leave date that it names", "权限在其所列离岗时间之前已取消"),
    "refused": Text("the agent refuses what it asks for", "代理拒绝其所请求的内容"),
    # not a refusal
    "not-begun": Text("it was received and could not be begun yet", "已接收，但尚未能开始"),
    "accepted": Text("it was received", "已接收"),
    "late": Text("it was received, long after its approval", "已接收，但距批准时间已久"),
}


def sentence(reason: str, detail: str = "") -> Text:
    """Return the sentence of *reason*, with the *detail* in backticks where there is one."""
    text = REASONS[reason]
    if not detail:
        return text
    said = visible(detail[:_LONGEST])
    return Text(f"{text.en}: `{said}`", f"{text.zh}：`{said}`")


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
