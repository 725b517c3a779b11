"""Handlers: the rule pack in force (:mod:`agent.site.pack_file`)."""

from agent.control.dispatch import HandlerRequest, HandlerResult, HandlerTable, Json
from agent.registry.repositories.registry_transaction import RegistryTransaction
from agent.site.pack_file import SETTING, checked, install, write
from rules.pack.reader import Pack

handlers = HandlerTable()


@handlers.read("pack.show")
def _show(request: HandlerRequest) -> Json:
    pack = request.site.pack()
    return described(pack) | {"text": request.site.home.pack.read_text(encoding="utf-8")}


@handlers.act("pack.use")
def _use(request: HandlerRequest, change: RegistryTransaction) -> HandlerResult:
    text = request.args.text("pack")
    pack = checked(text)
    change.settings.set(SETTING, pack.digest)
    return HandlerResult(
        {"pack": pack.id},
        request.digest("pack") | {"id": pack.id},
        pack=pack,
        prepare=lambda: write(request.site.home, text),
        on_commit=lambda: install(request.site.home),
    )


def described(pack: Pack) -> dict[str, Json]:
    """Return the contents of a pack as JSON."""
    return {
        "id": pack.id,
        "name": pack.name,
        "version": pack.version,
        "title": pack.title.to_json(),
        "rules": [{"id": rule.id, "title": rule.title.to_json(), "clauses": list(rule.clauses)} for rule in pack.rules],
        "records": {kind: record.title.to_json() for kind, record in pack.records.items()},
        "domains": {domain: text.to_json() for domain, text in pack.domains.items()},
        "hours": list(pack.hours),
    }
