"""Secrets of acts that wait for a second officer, such as a PIN: what is stored of them nobody can read afterwards.

    proposed: ciphertext into the registry          confirmed: read with the key of this process, and gone with it

Rules of this file: the key is in the memory of the control process and nowhere else. Whoever has the files of a home,
now or a copy of them later, has no secret; a restart loses what waits, and says so. Fernet (AES-128-CBC with HMAC) is
pyca/cryptography's. For any thread.
"""

from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from agent.api.operations import TABLE
from agent.errors import RefusedError
from rules.text import Text


class PassingSecrets:
    """Hides the secret arguments of an act, and shows them to the same process."""

    def __init__(self) -> None:
        self._key = Fernet(Fernet.generate_key())

    def hidden(self, op: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of *op* as they may be stored."""
        secret = _secret(op)
        return {
            name: self._key.encrypt(value.encode()).decode() if name in secret and isinstance(value, str) else value
            for name, value in given.items()
        }

    def shown(self, op: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments that :meth:`hidden` was given.

        Raises :class:`RefusedError` when another process hid them: this one was started since.
        """
        secret = _secret(op)
        try:
            return {
                name: self._key.decrypt(value.encode()).decode() if name in secret and isinstance(value, str) else value
                for name, value in given.items()
            }
        except InvalidToken:
            raise RefusedError(
                Text(
                    "the agent was started anew since it was proposed, and keeps no secrets over that",
                    "提议之后代理已重新启动，其中的密码不跨重启保存",
                ),
                Text("withdraw it, and have it proposed again", "请撤回后重新提议"),
            ) from None


def _secret(op: str) -> frozenset[str]:
    return frozenset(param.name for param in TABLE[op].params if param.secret)
