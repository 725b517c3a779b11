"""The watch over the key that signs receipts: one that is lost, exchanged or unusable is an entry and an alarm.

Rules of this file: the entry comes first, then the alarm, then the new key is noted as the one that signs; a kill in
between says it once more. A lost key is replaced, because receipts and answers go on; what it signed is still checked
by its public half (:mod:`agent.offboard.receipt.keyring`). A key that others could have read is never used, and not
replaced either: that is for somebody to look at. Belongs to the thread of acts.
"""

from agent.control.services import ControlServices
from agent.errors import RefusedError
from agent.offboard.receipt.keyring import KeyRing
from agent.offboard.receipt.signing import Signer, key_path
from rules.text import Text

SIGNING_KEY = "signing-key"  # the kind of the entry and of the alarm


class SigningKeyWatch:
    """Looks at the key again and again."""

    def __init__(self, services: ControlServices) -> None:
        self._services = services
        self._ring = KeyRing(services.site.home.root)

    def step(self) -> None:
        """Look once. Raises :class:`agent.errors.ShoumiError` when it cannot be written down: the next look does."""
        if self._services.site.stores.now.older:  # nothing is done by a registry that lacks what the log holds
            return
        known = self._ring.current
        try:
            signer = self._ring.present()
        except RefusedError as error:
            self._alarm(error.text, known, None)
            return
        if signer is None and known is None:
            return  # nothing was signed yet
        if signer is None or known not in (None, signer.fingerprint):
            new = signer or Signer.at(key_path(self._services.site.home.root))
            self._ring.keep(new)
            self._alarm(_lost(str(known), new.fingerprint, gone=signer is None), known, new.fingerprint)
            self._ring.adopt(new)
        elif known is None:
            self._ring.adopt(signer)

    def _alarm(self, text: Text, lost: str | None, key: str | None) -> None:
        """Write it down and raise the alarm, unless the same one still waits for somebody."""
        services = self._services
        if any((one.kind, one.text) == (SIGNING_KEY, text) for one in services.site.facts.open_alarms()):
            return
        fields = {"kind": SIGNING_KEY, "alarm": True, "former_key": lost, "signing_key": key, "reason": text.to_json()}
        seq = services.decider.append(fields)
        with services.registry.note(services.site.now()) as note:
            note.alarms.add(SIGNING_KEY, text, seq=seq)


def _lost(lost: str, key: str, *, gone: bool) -> Text:
    was = (
        Text("the key that signed receipts is gone", "签发回执的密钥已丢失")
        if gone
        else Text("the key that signs receipts was exchanged", "签发回执的密钥被更换")
    )
    return Text(
        f"{was.en}: {lost[:16]}… signed until now, {key[:16]}… signs from now on; old receipts are checked with the old"
        " public key, which is kept; send the new one to whoever has the old (shoumi keys show)",
        f"{was.zh}：此前为 {lost[:16]}…，此后为 {key[:16]}…；旧回执仍以保存的旧公钥核验；"
        "请将新公钥发给持有旧公钥的各方（shoumi keys show）",
    )
