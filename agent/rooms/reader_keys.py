"""Reader keys: creation, transfer to the doors process, and confirmation by the key a reader uses.

Rules of this file: a key goes from the store to the doors process and nowhere else. It is durable before it is sent, so
that a power cut never leaves a reader with an unknown key; until the reader has shown which key it holds, both are kept
and both are tried. One thread, except as :class:`agent.rooms.pending_commands.PendingCommands` allows.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from agent.doors.frames import Commission, Keyed, ReaderKey, Rekey, ToDoors
from agent.doors.osdp.keys import KeyStore, fingerprint
from agent.errors import RefusedError, ShoumiError
from agent.registry.store import Registry
from agent.rooms.pending_commands import CommandOutcome, PendingCommands
from rules.text import Message
from rules.visible import visible


class ReaderKeys:
    """The readers' keys of one site. *send* gives a frame to the doors process and raises :class:`ShoumiError`."""

    def __init__(
        self,
        store: KeyStore,
        registry: Registry,
        tickets: PendingCommands,
        send: Callable[[ToDoors], None],
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._registry = registry
        self._tickets = tickets
        self._send = send
        self._now = now
        self._under_way: dict[str, tuple[str, str]] = {}  # ticket → address, fingerprint of the new key
        self._proven: dict[str, str] = {}  # address → fingerprint, as the registry has it

    def all(self) -> Mapping[str, tuple[bytes, ...]]:
        """Return the candidates of every reader.

        Raises :class:`RefusedError`: without its keys no reader comes online.
        """
        return self._store.all()

    def has_key(self, address: str) -> bool:
        """Return whether a key was ever created for a reader, which may not have accepted it. Raises nothing."""
        try:
            return bool(self._store.candidates(address))
        except ShoumiError:  # reported where the keys themselves are needed
            return True

    def proven(self, address: str) -> str:
        """Return the fingerprint of the key a reader has shown, ``""`` for none."""
        return self._proven.get(address, "")

    def give(self, ticket: str, address: str) -> None:
        """Install a key on a reader in install mode: that of the last try, if its outcome is unknown."""
        candidates = self._store.candidates(address)
        reuse = len(candidates) > 1 or (candidates and address not in self._proven)
        key = candidates[-1] if reuse else self._store.begin(address)
        self._hand_over(ticket, address, key, Commission(ticket, address, key.hex()))

    def change(self, ticket: str, address: str) -> None:
        """Change the key of a reader that is online."""
        if not self._store.candidates(address):
            reader = visible(address)
            raise RefusedError(
                Message("doors.reader-without-key", reader=reader),
                Message("doors.commission-reader-first"),
            )
        key = self._store.begin(address)
        self._hand_over(ticket, address, key, Rekey(ticket, address, key.hex()))

    def answered(self, frame: Keyed) -> bool:
        """Record the outcome of a key command; return whether the readers' keys have changed."""
        address, mark = self._under_way.pop(frame.id, ("", ""))
        if not address:
            return False
        if frame.ok:
            self._settle(address, mark)
        self._tickets.settle(frame.id, CommandOutcome(frame.ok, frame.why, mark if frame.ok else ""))
        return True

    def came_online(self, frame: ReaderKey) -> bool:
        """Record the key a reader came online with; return whether that confirmed a key change."""
        before = self._store.candidates(frame.address)
        if not any(fingerprint(key) == frame.key for key in before):
            return False
        self._settle(frame.address, frame.key)
        return len(before) > 1

    def keep_only(self, proven: Mapping[str, str]) -> None:
        """Keep the readers in *proven*, by address with the confirmed fingerprint; delete keys of all others."""
        self._proven = {address: mark for address, mark in proven.items() if mark}
        handed = {address for address, _ in self._under_way.values()}
        for address in self._store.all().keys() - proven.keys() - handed:
            self._store.drop(address)

    def _hand_over(self, ticket: str, address: str, key: bytes, frame: ToDoors) -> None:
        self._under_way[ticket] = address, fingerprint(key)
        try:
            self._send(frame)
        except ShoumiError as error:  # all candidates are kept: the reader shows its key when it is online again
            del self._under_way[ticket]
            self._tickets.settle(ticket, CommandOutcome(ok=False, reason=error.text))

    def _settle(self, address: str, mark: str) -> None:
        self._store.settle(address, mark)
        if self._proven.get(address) != mark:
            with self._registry.note(self._now()) as note:
                note.reader_keys.set(address, mark)
            self._proven[address] = mark
