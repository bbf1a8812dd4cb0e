"""The four desks of the procedure, and what each decides about a report of the demonstration."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nkk.sop.steps import Path, Role
from ops.demo.visitor import Visitor

Item = dict[str, Any]
"""One report of `complaints.json`: the form, and what everybody says to it."""

Row = dict[str, Any]
"""One row of a desk's worklist."""

Act = tuple[str, dict[str, Any] | None]
"""The last part of the act's path, and its body."""


@dataclass(frozen=True)
class Desk:
    """A desk, who sits at it, and what that person does with a report lying there."""

    name: str
    person: Visitor
    decide: Callable[[Item, Row], Act]


def open_desks(anyone: Visitor, staff: dict[str, Any], opds: set[str]) -> Iterator[Desk]:
    """Everybody logs in and sits down, in the order of the procedure; of the OPD teams only those of `opds`."""
    operator = _seated(anyone, staff[Role.OPERATOR])
    yield Desk("intake", operator, hand_over)
    yield Desk("triage", _seated(anyone, staff[Role.MAIN_TEAM]), classify_or_judge)
    for opd in sorted(opds):
        yield Desk("opd", _seated(anyone, staff[Role.OPD_TEAM][opd]), respond)
    yield Desk("answers", operator, answer)


def _seated(anyone: Visitor, account: dict[str, str]) -> Visitor:
    return anyone.log_in(account["username"], account["password"])


def hand_over(item: Item, row: Row) -> Act:
    """Step 2: the operator hands the report to Tim Utama."""
    return "handover", None


def classify_or_judge(item: Item, row: Row) -> Act:
    """Steps 3 and 5 lie on one desk: Tim Utama classifies a report, or approves or returns the response to it."""
    if row["stands"]["state"] == "awaiting_approval":
        return "approval", judge(item, row["round"])
    if item["path"] == Path.INFORMATION:
        return "classification", _filled(kind="information", note=item.get("note"))
    return "classification", _filled(kind="complaint", opd=item["opd"], note=item.get("note"))


def judge(item: Item, round_: int) -> dict[str, Any]:
    """Step 5: a first response is returned where the report has a note for that; any other is approved."""
    if round_ == 1 and "return_note" in item:
        return {"approved": False, "note": item["return_note"]}
    return {"approved": True}


def respond(item: Item, row: Row) -> Act:
    """Step 4: the OPD team responds; differently to a report that was returned. `round` counts responses so far."""
    return "response", {"text": item["second_response" if row["round"] else "response"]}


def answer(item: Item, row: Row) -> Act:
    """Step 6: the operator sends the answer."""
    return "answer", {"text": item["answer"]}


def _filled(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
