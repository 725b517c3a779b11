"""File drop for HR's own host: sign a notice, deliver it, and wait for the signed answer.

    python hr_drop.py NOTICE.json --to DIR --key SENDER.jwk --approver A.jwk --approver B.jwk
    python hr_drop.py TOKEN --to DIR          a token that is signed already

Rules of this file: it runs alone, with Python and ``pyjwt[crypto]`` and nothing else of the agent, so that it can be
copied. A file is written, synced to the disk and then renamed, so no reader sees a part of it. An answer counts only
when it names this token; with the agent's public keys given, only when one of them signed it. "Received" is not "done".
The format of notices and answers: docs/hr-integration.md.

Exit codes: 0 done, 1 rejected, quarantined or overtaken, 2 usage, 3 not permitted,
4 no spool, or no final answer yet.
"""

import argparse
import hashlib
import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jwt

Json = dict[str, Any]

TYPE: Final = "secevent+jwt"
APPROVAL_TYPE: Final = "departure-approval+jwt"
APPROVED: Final = ("aud", "txn", "toe", "sub_id", "events")  # what an approver signs, besides own issuer and time
SUFFIX: Final = ".set"
DONE, REFUSED, USAGE, FORBIDDEN, WAITING = range(5)
_OVER: Final = {"done": DONE, "rejected": REFUSED, "quarantined": REFUSED, "overtaken": REFUSED}
_NO_SPOOL: Final = (
    "`--to` must be the agent's home; `shoumi run` creates the spool within a second once hr-keys.json is there",
    "`--to` 应为守护服务的数据目录；hr-keys.json 就位且 `shoumi run` 运行后，一秒内创建投递目录",
)
_LOOK: Final = 0.1  # seconds between two looks
# Errors of reading JSON that is broken, of another shape, too deep or too large.
_BROKEN: Final = (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError)


class DropError(Exception):
    """The reason a notice cannot be sent, in English and Chinese, with a hint."""

    def __init__(self, en: str, zh: str, code: int = USAGE, hint: tuple[str, str] | None = None) -> None:
        super().__init__(en)
        self.en, self.zh, self.code, self.hint = en, zh, code, hint


@dataclass(frozen=True)
class Delivered:
    """A token under its name in the spool."""

    name: str
    token: str

    @property
    def sha256(self) -> str:
        """The digest of the token's bytes."""
        return hashlib.sha256(self.token.encode()).hexdigest()


def token_of(text: str, key: Json | None, approvers: Sequence[Json], now: float, audience: str | None = None) -> str:
    """Return *text* if it is a token, else the notice it is, signed with *key*, approved by *approvers*.

    ``iss``, ``iat``, ``jti`` and, with *audience*, ``aud`` are added where they are missing. Raises :class:`DropError`.
    """
    bare = text.strip()
    if bare.count(".") == 2 and bare.isascii() and not bare.startswith("{"):
        return bare
    try:
        claims = json.loads(bare)
    except (ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise DropError("the file is neither a token nor a notice in JSON", "文件既不是令牌，也不是 JSON 通知")
    if key is None:
        raise DropError(
            "a notice must be signed: give the sender's key (--key)", "通知须签名：请指明发送方密钥（--key）"
        )
    claims = {"iss": key.get("iss"), "iat": int(now), "jti": str(uuid.uuid4()), **claims}
    if audience:
        claims.setdefault("aud", audience)
    if approvers:
        facts = {name: claims[name] for name in APPROVED if name in claims}
        claims["approvals"] = [
            _signed({"iss": approver.get("iss"), "iat": int(now), **facts}, approver, APPROVAL_TYPE)
            for approver in approvers
        ]
    return _signed(claims, key, TYPE)


def deliver(token: str, to: Path, name: str) -> Delivered:
    """Put *token* into the spool of the agent whose home is seen as *to*. Raises :class:`DropError`."""
    new = to / "spool" / "new"
    under_way, final = new / f".{name}.{os.getpid()}.tmp", new / f"{name}{SUFFIX}"
    try:
        if final.exists():
            raise DropError(f"`{final}` is already waiting in the spool", f"`{final}` 已在投递目录中等待处理", REFUSED)
        with open(os.open(under_way, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
            file.write(token)
            file.flush()
            os.fsync(file.fileno())
        under_way.rename(final)
        folder = os.open(new, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except FileNotFoundError as error:
        raise DropError(
            f"no spool at `{to}`; check that the keys are pinned",
            f"`{to}` 中没有投递目录；请检查是否已固定密钥",
            WAITING,
            _NO_SPOOL,
        ) from error
    except PermissionError as error:
        raise DropError(f"no permission to write to `{new}`", f"无权写入 `{new}`", FORBIDDEN) from error
    except OSError as error:
        raise DropError(f"`{new}`: {error.strerror}", f"`{new}`：{error.strerror}", WAITING) from error
    return Delivered(final.name, token)


def answer(to: Path, sent: Delivered, keys: jwt.PyJWKSet | None = None) -> Json | None:
    """Return the event of the newest answer about *sent*, ``None`` while there is none. Raises :class:`DropError`."""
    file = to / "outbox" / "by-name" / sent.name
    try:
        text = file.read_text("latin-1")  # any bytes: the parser below refuses what is not a token
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DropError(f"`{file}`: {error.strerror}", f"`{file}`：{error.strerror}", FORBIDDEN) from error
    try:
        payload = _payload(text, keys)
        [event] = payload["events"].values()
        about, bytes_of, _ = event.get("answers"), event.get("sha256"), event["state"]
    except (jwt.PyJWTError, *_BROKEN) as error:
        raise DropError(f"`{file}` is not signed by the agent", f"`{file}` 并非由守护服务签名", REFUSED) from error
    number = _number(sent.token)
    matches = about == number if about else bytes_of == sent.sha256
    return dict(event) if matches else None


def wait(
    to: Path, sent: Delivered, seconds: float, keys: jwt.PyJWKSet | None, say: Callable[[Json], None]
) -> tuple[int, Json | None]:
    """Wait for a final answer; return the exit code and the last answer.

    *say* gets every intermediate answer. Raises :class:`DropError`.
    """
    until, last = time.monotonic() + seconds, None
    while True:
        event = answer(to, sent, keys)
        if event and event != last:
            say(event)
            last = event
            if event["state"] in _OVER:
                return _OVER[event["state"]], event
        if time.monotonic() >= until:
            return WAITING, last
        time.sleep(_LOOK)


def read_key(file: Path) -> Json:
    """Return a private JWK. Raises :class:`DropError`."""
    try:
        key = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DropError(f"`{file}` is not a key", f"`{file}` 不是密钥") from error
    if not isinstance(key, dict):
        raise DropError(f"`{file}` is not a key", f"`{file}` 不是密钥")
    return key


def read_keys(file: Path) -> jwt.PyJWKSet:
    """Return the public keys of the agent, as ``shoumi keys show --jwks`` prints them. Raises :class:`DropError`."""
    try:
        return jwt.PyJWKSet.from_json(file.read_text("utf-8"))
    except (OSError, jwt.PyJWTError, *_BROKEN) as error:
        raise DropError(f"`{file}` is not a JWK Set", f"`{file}` 不是 JWK Set") from error


def _signed(claims: Mapping[str, Any], key: Json, kind: str) -> str:
    try:
        return jwt.encode(dict(claims), jwt.PyJWK(key), headers={"typ": kind, "kid": key["kid"]})
    except (jwt.PyJWTError, *_BROKEN) as error:
        raise DropError(f"the key `{key.get('kid')}` cannot sign", f"密钥 `{key.get('kid')}` 无法签名") from error


def _payload(token: str, keys: jwt.PyJWKSet | None) -> Json:
    if keys is None:
        payload: Json = json.loads(jwt.utils.base64url_decode(token.split(".")[1]))
        return payload
    kid = jwt.get_unverified_header(token).get("kid")
    key = next((key for key in keys.keys if key.key_id == kid), None)
    if key is None:
        raise jwt.InvalidKeyError(kid)
    options: Any = {"verify_aud": False, "verify_iat": False}  # it is matched by number, and clocks differ
    return jwt.decode(token, key, algorithms=["EdDSA"], options=options)


def _number(token: str) -> str | None:
    try:
        payload = json.loads(jwt.utils.base64url_decode(token.split(".")[1]))
    except (ValueError, IndexError, RecursionError):
        return None
    return payload.get("jti") if isinstance(payload, dict) else None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser("hr_drop", description="send a notice to Shoumi 向守密发送人事通知")
    parser.add_argument("file", type=Path, help="token, or notice in JSON 令牌或 JSON 通知")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="home of the agent 守护服务的数据目录")
    parser.add_argument("--key", type=Path, help="the sender's private JWK 发送方私钥")
    parser.add_argument(
        "--approver", type=Path, action="append", default=[], help="an approver's private JWK 审批人私钥"
    )
    parser.add_argument("--audience", help="the site's name 本站名称")
    parser.add_argument("--name", help="name in the spool 投递名称")
    parser.add_argument("--jwks", type=Path, help="public keys of the agent 守护服务的公钥")
    parser.add_argument(
        "--wait", type=float, default=60.0, metavar="SECONDS", help="seconds to wait for the answer 等待秒数"
    )
    args = parser.parse_args(argv)
    chinese = os.environ.get("SHOUMI_LANG", os.environ.get("LANG", "")).startswith("zh")

    def say(event: Json) -> None:
        sys.stderr.write(f"{event['state']} {event.get('text', {}).get('zh' if chinese else 'en', '')}\n")

    try:
        key = read_key(args.key) if args.key else None
        keys = read_keys(args.jwks) if args.jwks else None
        approvers = [read_key(file) for file in args.approver]
        token = token_of(args.file.read_text("utf-8"), key, approvers, time.time(), args.audience)
        sent = deliver(token, args.to, args.name or str(uuid.uuid4()))
        code, last = wait(args.to, sent, args.wait, keys, say)
    except DropError as error:
        sys.stderr.write(f"{error.zh if chinese else error.en}\n")
        if error.hint:
            sys.stderr.write(f"{'提示：' if chinese else 'hint: '}{error.hint[chinese]}\n")
        return error.code
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"{args.file}: {error}\n")
        return USAGE
    sys.stdout.write(json.dumps({"name": sent.name, "answer": last}, ensure_ascii=False) + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
