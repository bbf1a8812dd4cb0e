"""The four desks of the procedure, and their decisions about the reports of the demonstration."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from nkk.sop.steps import Path, Role
from ops.demo.visitor import Visitor

Item = dict[str, Any]
"""A report of `complaints.json`: the form, and the texts of each desk."""

Row = dict[str, Any]
"""A row of a desk's worklist."""

Act = tuple[str, dict[str, Any] | None]
"""The last part of an act's path, and the body of its request."""


@dataclass(frozen=True)
class Desk:
    """A desk, the person who works at it, and the function that decides about a report there."""

    name: str
    person: Visitor
    decide: Callable[[Item, Row], Act]
    opd: str | None = None

    def step(self, row: Row) -> str:
        """Return the name of the step that a row of this desk waits for."""
        if self.name == "triage" and row["stands"]["state"] == "awaiting_approval":
            return "approve"
        return {"intake": "hand_over", "triage": "classify", "opd": "respond", "answers": "answer"}[self.name]


def open_desks(anyone: Visitor, staff: dict[str, Any], opds: set[str]) -> Iterator[Desk]:
    """Log in the staff and yield their desks in the order of the procedure; of the OPD teams only those of `opds`."""
    operator = _seated(anyone, staff[Role.OPERATOR])
    yield Desk("intake", operator, hand_over)
    yield Desk("triage", _seated(anyone, staff[Role.MAIN_TEAM]), classify_or_judge)
    for opd in sorted(opds):
        yield Desk("opd", _seated(anyone, staff[Role.OPD_TEAM][opd]), respond, opd)
    yield Desk("answers", operator, answer)


def _seated(anyone: Visitor, account: dict[str, str]) -> Visitor:
    return anyone.log_in(account["username"], account["password"])


def opds_of(item: Item) -> list[str]:
    """Return the OPDs that a report comes to."""
    return [opd for opd in (item.get("first", {}).get("opd"), item.get("opd")) if opd]


def at_first(item: Item) -> Item:
    """Return a report as it is classified and answered before an act brings it back to step 3, or to a further OPD."""
    first = item["first"]
    before = {"path": first["kind"], "opd": first.get("opd"), "answer": item.get("first_answer", item["answer"])}
    return item | before | {"response": first.get("response", item.get("response"))}


def hand_over(item: Item, row: Row) -> Act:
    """Hand the report over to Tim Utama, as the operator (step 2)."""
    return "handover", None


def classify_or_judge(item: Item, row: Row) -> Act:
    """Classify a report, or approve or return the response to it, as Tim Utama (steps 3 and 5, at one desk)."""
    if row["stands"]["state"] == "awaiting_approval":
        return "approval", judge(item, row["round"])
    if item["path"] == Path.INFORMATION:
        return "classification", _filled(kind="information", note=item.get("note"))
    return "classification", _filled(kind="complaint", opd=item["opd"], note=item.get("note"))


def judge(item: Item, round_: int) -> dict[str, Any]:
    """Return a first response where the report has a note for that; approve any other (step 5)."""
    if round_ == 1 and "return_note" in item:
        return {"approved": False, "note": item["return_note"]}
    return {"approved": True}


def respond(item: Item, row: Row) -> Act:
    """Respond to a report as the OPD team, with the second text after a return (step 4).

    The row's `round` is the number of responses so far, also of an OPD asked before.
    """
    return "response", {"text": item["second_response" if row["round"] and "return_note" in item else "response"]}


def answer(item: Item, row: Row) -> Act:
    """Send the answer, as the operator (step 6)."""
    return "answer", {"text": item["answer"]}


def _filled(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
