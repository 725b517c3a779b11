"""Secrets of proposed acts, such as a PIN: stored encrypted until a second officer confirms.

    proposed: ciphertext into the registry          confirmed: decrypted with the key of this process

Rules of this file: the key exists only in the memory of the control process. The files of a home, or a copy of them, do
not reveal a secret; a restart loses pending secrets, and the confirmation reports that. Fernet (AES-128-CBC with HMAC)
is pyca/cryptography's. For any thread.
"""

from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

from agent.api.operations import TABLE
from agent.errors import RefusedError
from rules.text import Message


class PassingSecrets:
    """Encrypts the secret arguments of an act, and decrypts them in the same process."""

    def __init__(self) -> None:
        self._key = Fernet(Fernet.generate_key())

    def hidden(self, op: str, act_args: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of *op* with the secret ones encrypted."""
        secret = _secret(op)
        return {
            name: self._key.encrypt(argument.encode()).decode()
            if name in secret and isinstance(argument, str)
            else argument
            for name, argument in act_args.items()
        }

    def revealed(self, op: str, act_args: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments that were passed to :meth:`hidden`.

        Raises :class:`RefusedError` when another process encrypted them, before a restart.
        """
        secret = _secret(op)
        try:
            return {
                name: self._key.decrypt(argument.encode()).decode()
                if name in secret and isinstance(argument, str)
                else argument
                for name, argument in act_args.items()
            }
        except InvalidToken:
            raise RefusedError(
                Message("control.proposal-secret-lost"),
                Message("control.withdraw-and-propose-again"),
            ) from None


def _secret(op: str) -> frozenset[str]:
    return frozenset(param.name for param in TABLE[op].params if param.secret)
