"""Signing key watch: an entry and an alarm when the key that signs receipts is lost, exchanged or unusable.

Rules of this file: the entry comes first, then the alarm, then the new key is recorded as current; a kill in between
repeats the alarm. A lost key is replaced, because receipts and replies continue; its signatures are still verified with
its public key (:mod:`agent.offboard.receipt.keyring`). A key that others could have read is neither used nor replaced:
an officer has to examine it. Belongs to the thread of acts.
"""

from agent.control.services import ControlServices
from agent.errors import RefusedError
from agent.offboard.receipt.keyring import KeyRing
from agent.offboard.receipt.signing import Signer, key_path
from rules.text import Message, Sentence

SIGNING_KEY = "signing-key"  # the kind of the entry and of the alarm


class SigningKeyWatch:
    """Checks the key periodically."""

    def __init__(self, services: ControlServices) -> None:
        self._services = services
        self._ring = KeyRing(services.site.home.root)

    def step(self) -> None:
        """Check once. Raises :class:`agent.errors.ShoumiError` when it cannot be recorded; the next check retries."""
        if self._services.site.stores.now.older:  # no action on a registry that lacks acts of the log
            return
        current = self._ring.current
        try:
            signer = self._ring.present()
        except RefusedError as error:
            self._alarm(error.text, current, None)
            return
        if signer is None and current is None:
            return  # no receipt was signed yet
        if signer is None or current not in (None, signer.fingerprint):
            new = signer or Signer.at(key_path(self._services.site.home.root))
            self._ring.keep(new)
            self._alarm(_lost(str(current), new.fingerprint, missing=signer is None), current, new.fingerprint)
            self._ring.adopt(new)
        elif current is None:
            self._ring.adopt(signer)

    def _alarm(self, text: Sentence, lost: str | None, key: str | None) -> None:
        """Write the entry and raise the alarm, unless the same one is still open."""
        services = self._services
        if any((alarm.kind, alarm.text) == (SIGNING_KEY, text) for alarm in services.site.facts.open_alarms()):
            return
        fields = {"kind": SIGNING_KEY, "alarm": True, "former_key": lost, "signing_key": key, "reason": text.to_json()}
        seq = services.decider.append(fields)
        with services.registry.note(services.site.now()) as note:
            note.alarms.add(SIGNING_KEY, text, seq=seq)


def _lost(lost: str, key: str, *, missing: bool) -> Sentence:
    event = Message("control.signing-key-missing") if missing else Message("control.signing-key-exchanged")
    return Message("control.signing-key-replaced", event=event, former=lost[:16], current=key[:16])
