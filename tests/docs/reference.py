"""Pages of ``docs/`` that are made from the program itself. ``python -m tests.docs.reference`` writes them.

Rules of this file: pure functions from the program's tables to Markdown; ``test_reference.py`` fails while a page in
the repository says anything else.
"""

from collections.abc import Iterable

from agent import shipped_packs
from agent.api.operations import PLANNED, TABLE
from agent.cli.__main__ import COMMANDS
from agent.cli.parser import Command
from rules.offboarding.diagram import diagram
from rules.offboarding.machine import TABLE as MOVES
from rules.offboarding.machine import CaseMove
from rules.offboarding.measure import MeasureKind
from rules.offboarding.opening import chain
from rules.offboarding.vocabulary import CaseDuty, CaseKind
from rules.pack.catalogue import rules_of
from rules.pack.clauses import read_clauses, read_duties
from rules.pack.model import RuleSource
from rules.pack.reader import Pack, load
from rules.text import Text
from tests import ROOT
from tests.docs import architecture, catalogue_page, kernels, receipt, two_hands
from tests.docs.markdown import table
from tests.sentences import en, zh
from tui.actions import key_of
from tui.keys import PLACES, actions_of
from tui.keys.elsewhere import ELSEWHERE
from tui.keys.shape import EVERYWHERE, KeyAction

DOCS = ROOT / "docs"
RULES = ROOT / "rules"
_MADE = "<!-- made by `python -m tests.docs.reference`: do not edit -->"


def commands() -> str:
    """Return the table of commands: words and arguments, what they do, who may."""
    rows = [(_usage(c), en(c.help), zh(c.help), _who(c)) for c in COMMANDS if not c.alias]
    return _page(
        Text("Commands", "命令"),
        "`shoumi --home DIR --json COMMAND …`; `--home` and `--json` are understood anywhere on the line. Exit codes: "
        "0 done, 1 refused or found something wrong, 2 usage, 3 not permitted, 4 agent not reachable.",
        ("command", "what it does", "作用", "who 角色"),
        rows,
    )


def coverage() -> str:
    """Return which of the 25 duties is served by which rule of which pack, and what is served elsewhere or later."""
    packs = {name: load(shipped_packs.text(name)) for name in shipped_packs.names()}
    rows = []
    for duty in read_duties((RULES / "duties.csv").read_text(encoding="utf-8")).values():
        cells = []
        for pack in packs.values():
            served = [f"`{rule.id}`" for rule in rules_of(pack) if duty.number in rule.duties]
            served += ["**case**" for source in _case_tables(pack) if duty.number in source.duties]
            served += [f"{plan.served_by}*" for plan in pack.planned.values() if duty.number in plan.duties]
            cells.append(", ".join(dict.fromkeys(served)) or "–")
        rows.append((str(duty.number), zh(duty.title), en(duty.title), " ".join(duty.clauses), *cells))
    clauses = read_clauses((RULES / "clauses.csv").read_text(encoding="utf-8"))
    return _page(
        Text("The 25 duties and the rules that serve them", "25 项职责与对应规则"),
        f"Drawn from {len(clauses)} clauses of the regulations (`rules/clauses.csv`). A word in code type is the rule "
        "a verdict names; **case** is the departure case ([departure.md](departure.md)). A word with a star is no "
        "rule of the decision: it names the part of the program the duty is "
        "for (in the pack's `[planned]` tables); what of that exists yet is said in the README.",
        ("#", "职责", "duty", "clauses", *packs),
        rows,
    )


def departure() -> str:
    """Return the procedure of a departure: the diagram, every move, and what each shipped pack asks for."""
    packs = {name: load(shipped_packs.text(name)) for name in shipped_packs.names()}
    parts = [
        f"# Departures 离岗办理\n\n{_MADE}\n\n{_DEPARTURE}",
        f"## The procedure 流程\n\n```mermaid\n{diagram(en)}```\n\n```mermaid\n{diagram(zh)}```\n",
        "## Every move 全部步骤\n\nWhat is not in this table is refused.\n\n"
        + table(("event", "at", "leads to", "when", "条件"), [_move(move) for move in MOVES]),
        "## Kinds 类别\n\n" + table(("kind", "类别", "leaves", "去向"), [_kind(kind) for kind in CaseKind]),
        "## Who approves, in order 审批顺序\n\n"
        + table(
            ("kind", "类别", *packs), [(k.value, zh(k.text), *(_chain(p, k) for p in packs.values())) for k in CaseKind]
        ),
        "## What is owed before papers and closing 办结之前\n\n"
        + table(
            ("duty", "事项", *packs), [(d.value, zh(d.text), *(_owed(p, d) for p in packs.values())) for d in CaseDuty]
        ),
        f"## Rights lost otherwise 其他权限丧失\n\n{_LOSSES}"
        + table(("act", "what it is", "操作"), [_taking(name) for name in sorted(PLANNED)]),
        f"## The cooling-off period 脱密期管理\n\n{_COOLING_OFF}"
        + table(("measure", "措施", *packs), [_measure(kind, packs.values()) for kind in MeasureKind]),
    ]
    return "\n".join(parts)


def _taking(name: str) -> tuple[str, str, str]:
    help_of = TABLE[name].help
    return f"`shoumi {name.replace('.', ' ')} … --plan`", en(help_of), zh(help_of)


def terminal() -> str:
    """Return every screen and every key of the terminal, as the registry has them."""
    parts = [f"# The terminal 管理终端\n\n{_MADE}\n\n{_TERMINAL}"]
    for place in (None, *PLACES.values()):
        title = f"{en(place.title)} {zh(place.title)} `{place.key}`" if place else "Everywhere 所有屏幕"
        rows = [_key(action) for action in actions_of(place.name if place else EVERYWHERE)]
        about = f"{en(place.help)[0].upper()}{en(place.help)[1:]}. {zh(place.help)}。\n\n" if place else ""
        parts.append(f"## {title}\n\n{about}" + table(("key", "id", "what it does", "作用", "who 角色"), rows))
    reasons = [(f"`{name.replace('.', ' ')}`", en(why), zh(why)) for name, why in ELSEWHERE.items()]
    parts.append("## Commands without a key 无对应按键的命令\n\n" + table(("command", "why", "原因"), reasons))
    return "\n".join(parts)


_TERMINAL = """\
`shoumi tui [SCREEN] [--no-mouse]`. The terminal has no rights of its own: it asks the agent over the control socket,
and the agent decides by the caller's role. What the role may not do stands in brackets and says why. `?` helps for
where one is, `:` finds everything by name, `esc` goes back. Acts that cut access show the plan first and ask to type
the name.

A click highlights a line, a second one opens it. To mark text with the mouse, hold Shift, or start with `--no-mouse`:
then a selection is the outer terminal's own, over ssh and in tmux as well.

In tmux and over ssh:

- `esc` is as quick as tmux lets it be: 0.6 s with an `escape-time` of 500 ms, 0.14 s with `set -sg escape-time 10`.
- `y` copies by OSC 52. It reaches tmux's buffer, and the terminal around it, with `set -g set-clipboard on`; with the
  default, `external`, tmux drops it. What is long is written to a file as well, whose name is said.
- Detach and close the window at will. When the agent goes, the first line says so at once; it reconnects by itself.
- `F3` changes colours; two sets use only the terminal's own 16, as `TERM=linux` and `TERM=screen` get from the start.
  `NO_COLOR` is heeded. The bare Linux console has no Chinese characters: `F2`, or `SHOUMI_LANG=en`.

A site (`terminal.toml` in its home) or a user (`~/.config/shoumi/terminal.toml`) sets other keys and colours:

    theme = "ansi-dark"          # textual-dark, textual-light, ansi-dark, ansi-light
    mouse = false                # as --no-mouse
    [keys]
    "log.filter" = "ctrl+f"      # the id of an action, and a key as Textual names it
"""

_DEPARTURE = """\
The last approval ends all access, or the leave date that it names: in one transaction the departure counts, every grant
ends, and the decider acknowledges it. No later step gives any of it back. What is owed afterwards is done in any order,
because no regulation prints one, but for the exam, which follows the education; papers come last, and the case is
closed after the cooling-off period 脱密期.

- Nobody acts on his own departure, nobody approves twice, the order is kept. `--by PERSON` names who signed the form;
  the officer who writes it down answers for that, and his name is in the log beside it.
- Notice that comes too late is flagged, not refused.
- A leave date (`case open --effective TIME`) is an instant: with an offset, else of the site's clock; a bare day ends
  with that day. Until then an approved case is `scheduled`: access, office and approvals go on, and what is owed may be
  done. From that instant on the decider denies by its own rule, whatever process is down; the control process carries
  the rest out then, or at its next start, and the case counts from the leave date. A date that is past when the last
  approval comes ends access with it. One officer brings it forward (`case advance`, to now without a time); it is never
  put off.
- `unfit`, `unauthorised` and `death` end access when the case is opened. Whoever left without leave owes no education,
  exam or signature; what he never brings back is written off with a reason, and no papers are released. Nor are they
  after a death, which has no cooling-off period either.
- `layoff`: the notices of one round name the same `--batch`; `case batches` shows each batch as one.
- `rehired` (retires, and is hired again) ends access as a transfer does, and may name the new post. `long-leave` ends
  it too, and is never closed by one officer: when its person is back, two say so (`case resume`). That restores
  nothing; each ended grant is asked for by one officer and given by another (`case restore`).
- `withdraw` is a rescission because the leaver took his own notice back. Before the leave date nothing was taken, and
  no hold follows.
- Papers and closing wait while the leaver is still named: custodian of an area or room, alone in an administrator role
  of this host, or an approver by a key pinned for the personnel system. It is looked up at each try.
- `transfer`: the person leaves projects and named circles, grants end, and vetting from before no longer counts. When
  the case is closed he can be given new grants. Who leaves after all gets a case of his own beside it: the transfer
  goes on, and denies, until the last approval of that case overtakes it.
- A departure with a leave date to come goes on beside what ends less, a transfer or a finding of `unfit`, and overtakes
  it then. A notice of the personnel system of another kind that ends as much overtakes it: its leave date is not put
  off by that, and of what ended nothing yet nothing ends any more.
- The departure of an administrator (whose account is in a role's group) asks for a second officer: access is over with
  the last approval, his processes end when somebody who neither gave nor wrote down that approval confirms it
  (`case confirm`). Two people who signed in the personnel system are the two.
- Rescinding before the approval takes one officer. After it, two; it restores nothing: a hold stands in the departure's
  place until two officers lift it, and each ended grant is asked for by one officer and given by another
  (`case restore`). What the personnel system approved before that ends nothing any more; a new approval does.
- A signed receipt ([receipt.md](receipt.md)) says what ended and when, each instant taken where the thing happened:
  received when the request was read or its file appeared, durable at the end of the fsync, denied when the decider had
  acknowledged it. Beside who signed, with role, time and opinion, stands who wrote it down. Of everything that the
  program can end it says done, confirmed, pending, not present, or not part of this, and never one for another.
- What the agent tries itself to prove it is marked in the log and left out of lists (`log list --own` shows it); the
  receipt counts these entries and names the first and the last.
- When the key that signs is lost or exchanged, that is an entry and an alarm, and another key signs from then on; what
  the old one signed is still checked with its public half, which is kept.
- A holder is warned 7 days, 1 day and 10 minutes before a grant or a record that access needs ends, or the leave date
  comes: on the terminals that his accounts own and in their mail. Whoever has no access is not; a hold never warns.
"""

_LOSSES = """\
Every act is compared: before its commit the agent works out who could open or enter what, and who can afterwards,
whatever the act is called. From the person of a hold, a departure or a transfer everything is taken, and nothing of
theirs is compared. Who loses something stands in the entry of the act (`lost`), and is cut as soon as the decider has
acknowledged it:

- descriptors are refused by the decider, one by one. A mapping is asked about by no kernel: the process that has it is
  stopped and ended, with everybody it serves; plan and receipt name who else uses it. What lies in other areas, and
  whoever shares nothing with that person, is not touched;
- a file server has the identity of whoever it works for, and is never ended. What is open in smbd is refused like any
  descriptor; the shares that lead to what was lost are closed to the person by Samba's own messages, and connect again
  where they may still be used. Nobody else in the connection notices. The tools are asked about Samba's usual
  configuration, or the one that `SMB_CONF_PATH` names in the agent's environment;
- of up to 32 people each gets a run and a receipt of the cause `loss`, which names the areas, the act, its reason and
  its entry; of more those alone who hold something then. Who loses rooms alone has neither: nothing is open there, and
  each door asks anew; the entry of the act names the rooms. A change that touches more than 4,000 pairs of person and
  place is compared for the people who have a process or are in a room, and the entry says how many pairs were left out;
- the act answers with the numbers (`L000001`). `case receipt` takes such a number, that of a grant that ran out, of a
  hold or of a case, or a person who has a case; `case receipts PERSON` lists them all, and so does `c` among the
  terminal's people;
- where the right is given again, or the hold lifted, before the rest is done, the run is given up. What it has ended by
  then has its receipt, which stays open for lack of the proof and says of each step that was given up why;
- who hands on what they hold to processes that replace each other faster than a look takes, loses every process of that
  account, by one call that none outruns. Where a file server is at work the call stops them, and they are ended one by
  one;
- an account that is somebody else's by the time a step is done, or tried again, is left alone;
- everybody who waits is cut by the same looks, before anybody is proven; `status`, the first screen, `hold add` and
  `case progress` say how many are still being proven or wait for their receipt, and about how long that takes;
- the same acts take `--plan`: the act is rehearsed and rolled back, and what would end is shown. The terminal shows
  that plan before the act, and asks for a name to be typed, when something would end or others would lose something;
- what ends by itself (a grant, a record, the hours of a place) ends at its instant in the decider. What holds a mapping
  then is found by the looks at all holders, at once: a grant that ran out gets a run and a receipt (a share in use
  counts as held), the rest an entry `holder-ended`. So do services: what a removed service holds under an ordinary uid
  is stopped at once and ended. Such a look waits for no other cut, only for the look before it;
- a rule pack that cannot be read keeps nobody from ending a grant, holding somebody or approving a departure: the
  entry says that nothing was compared (`unknown`). Meanwhile nobody opens anything, and what is mapped is left as it
  is, but for a hold or a departure; as soon as the pack can be read, the looks at all holders end what nobody may hold
  any more.

| | English | 中文 |
| --- | --- | --- |
| the plan while a file is mapped | [picture](screens/loss-plan-en.svg) | [截图](screens/loss-plan-zh.svg) |
| the receipt of it | [picture](screens/loss-receipt-en.svg) | [截图](screens/loss-receipt-zh.svg) |

"""

_COOLING_OFF = """\
The kind decides who keeps the period. Who leaves only the post (离岗) is kept by this unit. Who leaves the unit (离职)
is too, until the period is entrusted, by a paper, to the unit that receives them or to the local authority. What a pack
asks for (`[measures.NAME]`) is recorded with day and paper (`case measure`) once a period with an end is decided, and
is owed before papers; visits are not, and an overdue one is flagged. After the period passports are given back and the
filing is withdrawn (`case end-measure`); until then the case is not closed.

"""

PAGES = {
    "architecture.md": architecture.page,
    "commands.md": commands,
    "coverage.md": coverage,
    "departure.md": departure,
    "kernels.md": lambda: kernels.page(_MADE),
    "receipt.md": receipt.page,
    "receipt.zh.md": receipt.chinese_page,
    "sentences.md": lambda: catalogue_page.page(_MADE),
    "terminal.md": terminal,
    "two-hands.md": two_hands.page,
    "two-hands.zh.md": two_hands.chinese_page,
}


def _case_tables(pack: Pack) -> tuple[RuleSource, ...]:
    families = (pack.approvers, pack.handover, pack.signatures, pack.measures)
    return (pack.departure_case, *(source for family in families for source in family.values()))


def _kind(kind: CaseKind) -> tuple[str, ...]:
    return kind.value, zh(kind.text), *(("the unit", "离职") if kind.leaves_unit else ("the post", "离岗"))


def _measure(kind: MeasureKind, packs: Iterable[Pack]) -> tuple[str, ...]:
    def asked(pack: Pack) -> str:
        rules = [rule for rule in pack.measures.values() if rule.kind is kind]
        said = [
            zh(rule.title)
            + (f", every {rule.every_days} days" if rule.every_days else "")
            + (f" ({', '.join(sorted(rule.kinds))})" if rule.kinds else "")
            for rule in rules
        ]
        return "<br>".join(said) or "–"

    return kind.value, zh(kind.text), *(asked(pack) for pack in packs)


def _move(move: CaseMove) -> tuple[str, ...]:
    at = ", ".join(move.at) or "–"
    return f"`{move.event}`", at, move.to.value if move.to else "stays", en(move.when), zh(move.when)


def _chain(pack: Pack, kind: CaseKind) -> str:
    return " → ".join(f"{zh(place.title)} `{place.role}`" for place in chain(pack, kind)) or "at once 即时"


def _owed(pack: Pack, duty: CaseDuty) -> str:
    rule = pack.departure_case
    asked = {
        CaseDuty.HAND_OVER: "<br>".join(f"{zh(line.title)} → {zh(line.department)}" for line in pack.handover.values()),
        CaseDuty.EDUCATION: "yes 须" if rule.education else "",
        CaseDuty.EXAM: "yes 须" if rule.exam else "",
        CaseDuty.SIGNATURES: "<br>".join(zh(paper.title) for paper in pack.signatures.values()),
        CaseDuty.COOLING_OFF: "decided 须确定"
        + (f"; always for {', '.join(rule.cooling_off)}" if rule.cooling_off else ""),
        CaseDuty.MEASURES: "<br>".join(
            zh(one.title) for one in pack.measures.values() if one.kind is not MeasureKind.VISIT
        ),
    }
    return asked[duty] or "–"


def _key(action: KeyAction) -> tuple[str, ...]:
    roles = {TABLE[op].roles or frozenset() for op in action.ops}
    who = ", ".join(sorted({en(role.text) for allowed in roles for role in allowed})) or "–"
    cuts = " **cuts access**" if action.cuts else ""
    return f"`{key_of(action, {})}`", f"`{action.id}`", en(action.help) + cuts, zh(action.help), who


def _usage(command: Command) -> str:
    words = [*command.names]
    for param in command.params:
        name = param.name if param.positional else f"--{param.name.replace('_', '-')}"
        shown = name.upper() if param.positional else name if param.kind == "flag" else f"{name} …"
        words.append(shown if param.required else f"[{shown}]")
    return f"`{' '.join(words)}`"


def _who(command: Command) -> str:
    operation = TABLE.get(".".join(command.names))
    if operation is None or operation.roles is None:
        return "–"
    return ", ".join(sorted(en(role.text) for role in operation.roles))


def _page(title: Text, about: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return f"# {en(title)} {zh(title)}\n\n{_MADE}\n\n{about}\n\n{table(head, rows)}"


if __name__ == "__main__":
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
