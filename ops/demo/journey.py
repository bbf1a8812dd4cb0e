"""The runner of the demonstration, which carries its reports through the procedure over HTTP."""

import json
import secrets
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx

from nkk.sop.clock import WIB
from nkk.sop.steps import Role
from ops.demo import accounting, counter, evidence, screen
from ops.demo.desks import Desk, Item, Row, at_first, opds_of, open_desks
from ops.demo.visitor import OUT_OF_STEP, Declined, Visitor

THREADS = 4
DEADLINE = 30.0
"""The seconds without progress at any desk after which the demonstration stops waiting."""

PAUSE = 0.25
"""The seconds between two polls of the desks while no progress is made."""

RECEIVE = 7
CLOSING = "abandonment"
CONFLICT = 409
TIMEOUT = httpx.Timeout(20.0)

Lapse = Callable[[str], int]
"""Ends the time to answer the open question about a ticket; returns of how many questions."""

Age = Callable[[Sequence[str]], None]
"""Moves all times of the reports with these tickets back, so that they are late."""


@dataclass
class Journey:
    """An accepted report: its plan, its reporter, and its timeline as last read.

    `acted` counts the acts beside the path that were done; after them it goes no further than the step `stays`, if any.
    `lapses` says that the time to answer its question was ended.
    """

    item: Item
    reporter: Visitor
    ticket: str
    answered: bool = False
    stays: str | None = None
    acted: int = 0
    lapses: bool = False
    timeline: dict[str, Any] | None = None
    trouble: str | None = None

    def flaws(self) -> list[str]:
        """Return what is wrong with the journey so far; nothing once it is complete."""
        found = accounting.flaws(self.item, self.timeline, self.stays)
        return found or [f"tindakan {act['act']} belum dilakukan" for act in self._planned()[self.acted :]]

    def _planned(self) -> list[dict[str, Any]]:
        return list(self.item.get("acts", ()))

    def due_act(self) -> dict[str, Any] | None:
        """Return the next planned act beside the path; None where all were done."""
        return next(iter(self._planned()[self.acted :]), None)

    def is_due(self, act: dict[str, Any]) -> bool:
        """Return whether the report stands where the act is planned, as last read."""
        return self.timeline is not None and self.timeline["stands"]["state"] == act["at"]

    def waits_at(self, step: str) -> bool:
        """Return whether a desk has to leave the report, for an act beside the path that comes before `step`."""
        act = self.due_act()
        if act is None:
            return self.stays == step or accounting.ends_early(self.item) is not None
        return act["at"] in (step, "withdrawn")

    def keeps_waiting(self, subject_line: str) -> bool:
        """Return whether this report is still to be joined with the one of this subject line, or to be parted."""
        first = any(act["form"].get("first") == subject_line for act in self._planned())
        return first and any(act["act"] in accounting.OF_JOINING for act in self._planned()[self.acted :])

    def as_planned(self) -> Item:
        """Return the report as the desks decide about it now: as at first, or as after the act that brought it back."""
        return at_first(self.item) if "first" in self.item and not self.acted else self.item

    def try_to(self, act: Callable[[], Any]) -> bool:
        """Try `act` and return whether it was done.

        Where it was refused out of step, it was done before, or the report is still on the worklist at the next poll.
        """
        try:
            act()
        except Declined as declined:
            if declined.status not in OUT_OF_STEP:
                self.trouble = str(declined)
            return False
        return True

    def look(self) -> bool:
        """Read the timeline as the reporter, and return whether it has changed."""
        before = self.timeline
        self.try_to(self._read_timeline)
        return self.timeline != before

    def has_lapsed(self) -> bool:
        """Return whether the last question to the reporter lapsed."""
        asked: list[dict[str, Any]] = []
        self.try_to(lambda: asked.extend(self.reporter.get(f"/complaints/{self.ticket}/questions")["items"]))
        return bool(asked) and asked[-1]["state"] == "lapsed"

    def receive(self) -> bool:
        """Confirm receipt or open the answer as the reporter, where it was sent (step 7); return whether this moved."""
        moved = self.look()
        if self.timeline is None or self.timeline["stands"]["step"] != RECEIVE or self.stays:
            return moved
        self.try_to(self._confirm_or_open)
        return self.look() or moved

    def _confirm_or_open(self) -> None:
        path = f"/complaints/{self.ticket}"
        if self.item["receipt"] == "confirm":
            self.reporter.post(f"{path}/receipt")
        else:
            self.reporter.get(path)

    def _read_timeline(self) -> None:
        self.timeline = self.reporter.get(f"/complaints/{self.ticket}/timeline")


class Office:
    """All desks, and the accepted reports of the demonstration. Other reports at the desks are not touched."""

    def __init__(
        self, desks: Sequence[Desk], journeys: Sequence[Journey], pool: ThreadPoolExecutor, lapse: Lapse
    ) -> None:
        self._desks = desks
        self._lapse = lapse
        self._journeys = {journey.ticket: journey for journey in journeys}
        self._tickets = {journey.item["form"]["subject_line"]: journey.ticket for journey in journeys}
        self._pool = pool

    def carry(self) -> None:
        """Work at every desk in turn until all journeys are complete, or nothing has moved for DEADLINE seconds."""
        moved_at = time.monotonic()
        while self._unfinished():
            if self._look_round():
                moved_at = time.monotonic()
            elif time.monotonic() - moved_at > DEADLINE:
                break
            else:
                time.sleep(PAUSE)
        # Read once more: a duplicate event may have come after the journey was complete.
        self._together(Journey.look, self._journeys.values())

    def _unfinished(self) -> list[Journey]:
        return [journey for journey in self._journeys.values() if journey.flaws()]

    def _look_round(self) -> int:
        """Do the work at every desk, and return the number of changes."""
        moved = sum(self._work_at(desk) for desk in self._desks)
        moved += self._together(self._act_beside, [each for each in self._unfinished() if each.due_act()])
        return moved + self._together(Journey.receive, [each for each in self._unfinished() if each.answered])

    def _work_at(self, desk: Desk) -> int:
        rows = [row for row in desk.person.worklist(desk.name) if row["ticket"] in self._journeys]
        return self._together(lambda row: self._act(desk, row), rows)

    def _act(self, desk: Desk, row: Row) -> bool:
        journey = self._journeys[row["ticket"]]
        item = journey.as_planned()
        # What an act took from an agency may still be on its list for a moment.
        if journey.waits_at(desk.step(row)) or desk.opd not in (None, item.get("opd")):
            return False
        if self._rests(row["stands"]["state"], journey):
            return False
        act, body = desk.decide(item, row)
        done = journey.try_to(lambda: desk.person.post(f"/complaints/{journey.ticket}/{act}", body))
        journey.answered = journey.answered or act == "answer"
        return done

    def _rests(self, state: str, journey: Journey) -> bool:
        """Return whether a report rests with another one, or is not to be decided before others were joined with it."""
        subject_line = journey.item["form"]["subject_line"]
        return state == "joined" or (
            state == "awaiting_approval" and any(each.keeps_waiting(subject_line) for each in self._journeys.values())
        )

    def _act_beside(self, journey: Journey) -> bool:
        """Do the next planned act beside the path, where the report stands there; return whether this moved."""
        moved, act = journey.look(), journey.due_act()
        if act is None or not journey.is_due(act) or not self._has_lapsed(act, journey):
            return moved
        who = self._who(act["by"], journey)
        path = f"/complaints/{journey.ticket}/{act['act']}"
        done = journey.try_to(lambda: who.post(path, self._form(act, who, journey)))
        journey.acted += done
        return moved or done

    def _has_lapsed(self, act: dict[str, Any], journey: Journey) -> bool:
        """Return whether the question lapsed that a closing needs. Its time is ended first; others need none."""
        if act["act"] != CLOSING:
            return True
        # It is not known to be asked at once.
        journey.lapses = journey.lapses or self._lapse(journey.ticket) > 0
        return journey.has_lapsed()

    def _form(self, act: dict[str, Any], who: Visitor, journey: Journey) -> dict[str, Any]:
        """Return the form of an act: with the ticket of the report that it names, or with the files that it adds."""
        form = act["form"]
        if "first" in form:
            return form | {"first": self._tickets.get(form["first"])}
        if act["act"] == "supplements":
            return form | {"files": evidence.attached(who, journey.item["form"]["subject_line"])}
        return form

    def _who(self, role: str, journey: Journey) -> Visitor:
        if role == Role.REPORTER:
            return journey.reporter
        name = {Role.OPERATOR: "answers", Role.MAIN_TEAM: "triage", Role.OPD_TEAM: "opd"}[Role(role)]
        opd = journey.as_planned().get("opd")
        return next(desk.person for desk in self._desks if desk.name == name and desk.opd in (None, opd))

    def _together(self, act: Callable[[Any], bool], things: Any) -> int:
        return sum(self._pool.map(act, things))


def load() -> dict[str, Any]:
    """Return the invented reporters and reports of the demonstration."""
    return json.loads(files("ops.demo").joinpath("complaints.json").read_text(encoding="utf-8"))


def run(base_url: str, staff: dict, echo: screen.Echo, folder: Path, lapse: Lapse, age: Age | None = None) -> bool:
    """Carry the demonstration's reports through the procedure at the gateway `base_url`, and print each journey.

    `staff` is {role: {"username", "password"}} for the operator and Tim Utama, and {"opd_team": {opd: {…}}}. One
    reporter's documents and the monthly report are written into `folder`. `lapse` lets the question lapse that nobody
    answers. With `age`, some reports stay at each step, so that no desk is empty, and a few of them are aged. Returns
    whether every report was accepted and reached its planned end exactly once by its planned path.
    """
    root = base_url.rstrip("/").removesuffix("/api/v1") + "/api/v1"
    with httpx.Client(base_url=root, timeout=TIMEOUT) as http, ThreadPoolExecutor(THREADS) as pool:
        return _demonstrate(Visitor(http, echo), staff, echo, pool, folder, lapse, age)


def _demonstrate(
    anyone: Visitor,
    staff: dict,
    echo: screen.Echo,
    pool: ThreadPoolExecutor,
    folder: Path,
    lapse: Lapse,
    age: Age | None,
) -> bool:
    data, began = load(), time.monotonic()
    items, journeys, papers, recaps = data["complaints"], [], [], []
    try:
        if lacking := lacks(items, anyone.get("/categories")["items"], anyone.get("/opds")["items"]):
            echo(
                f"Peragaan tidak dimulai: daftar layanan ini tidak lagi memuat {', '.join(lacking)}, yang dipakai "
                "laporan peragaan. Kembalikan ke dalam daftar, atau jalankan peragaan pada layanan lain."
            )
            return False
        desks = list(open_desks(anyone, staff, {opd for item in items for opd in opds_of(item)}))
        reporters = list(pool.map(lambda person: _register(anyone, person), data["reporters"]))

        def submitted(place: int) -> Journey | None:
            item = items[place]
            if "channel" in item:
                return _enter(item, data["reporters"][item["reporter"]], desks[0].person, anyone, echo)
            return _submit(item, reporters[item["reporter"]], echo, place % evidence.EVERY == 0)

        submissions = pool.map(submitted, range(len(items)))
        journeys = [journey for journey in submissions if journey is not None]
        for journey in journeys:
            journey.stays = journey.item.get("stays") if age else None
        Office(desks, journeys, pool, lapse).carry()
        if age:
            age([journey.ticket for journey in journeys if "aged" in journey.item])
        papers = list(_open_documents(journeys, folder))
        recaps = list(recapitulate(desks[0].person, f"{datetime.now(WIB):%Y-%m}", folder))
    except Declined as declined:
        echo(f"Peragaan terhenti: {declined}")
    for line in _told(journeys, len(items), time.monotonic() - began):
        echo(line)
    for line in screen.afterwards(journeys[0].ticket, papers, recaps) if papers else ():
        echo(line)
    return len(journeys) == len(items) and not any(journey.flaws() for journey in journeys)


def lacks(items: Sequence[Item], categories: Sequence[dict[str, Any]], opds: Sequence[dict[str, Any]]) -> list[str]:
    """Return the categories and agencies used by the reports that the service's lists lack.

    The demonstration uses the default lists, which an admin may have replaced.
    """
    known = {opd["key"] for opd in opds} | {
        f"{category['key']}/{sub['key']}" for category in categories for sub in category["sub_categories"]
    }
    named = [
        name
        for item in items
        for name in (
            f"{item['form']['category']}/{item['form']['sub_category']}",
            item["form"].get("accused_opd"),
            *opds_of(item),
        )
    ]
    return [name for name in dict.fromkeys(named) if name is not None and name not in known]


def _register(anyone: Visitor, person: dict[str, Any]) -> Visitor:
    """Register a new account with an unused user name, and log in."""
    form = person | {"username": _unused(person)}
    try:
        anyone.post("/reporters", form)
    except Declined as declined:
        # The name is taken by this account where the reply to a first attempt was lost; the log-in shows that.
        if declined.status != CONFLICT:
            raise
    return anyone.log_in(form["username"], form["password"])


def _unused(person: dict[str, Any]) -> str:
    return f"{person['username']}-{secrets.token_hex(4)}"


def _submit(item: Item, reporter: Visitor, echo: screen.Echo, with_evidence: bool) -> Journey | None:
    """Submit a report (step 1); return its journey, or None where it was not accepted."""
    form = item["form"]
    try:
        if with_evidence:
            form = form | {"files": evidence.attached(reporter, form["subject_line"])}
        receipt = reporter.post("/complaints", form, **{"Idempotency-Key": str(uuid.uuid4())})
    except Declined as declined:
        echo(_not_accepted(item, declined))
        return None
    return Journey(item, reporter, receipt["ticket"])


def _enter(item: Item, person: dict[str, Any], operator: Visitor, anyone: Visitor, echo: screen.Echo) -> Journey | None:
    """Have the operator enter a report for `person` (step 1); return its journey, or None where it was not accepted."""
    entry = counter.entered(item["form"], item["channel"], person)
    try:
        receipt = operator.post("/entries", entry, **{"Idempotency-Key": str(uuid.uuid4())})
        reporter = counter.at_home(anyone, receipt["access_code"], person, _unused(person))
    except Declined as declined:
        echo(_not_accepted(item, declined))
        return None
    return Journey(item, reporter, receipt["ticket"])


def _not_accepted(item: Item, declined: Declined) -> str:
    return f'Laporan "{item["form"]["subject_line"]}" tidak diterima: {declined}'


def _open_documents(journeys: Sequence[Journey], folder: Path) -> Iterator[Path]:
    """Download the first reporter's documents as DOCX and PDF into `folder`, and yield their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    for journey in journeys[:1]:
        for document in (journey.timeline or {}).get("documents", []):
            for format_ in ("docx", "pdf"):
                path = folder / f"{document['kind']}-{journey.ticket}.{format_}"
                path.write_bytes(journey.reporter.download(document[format_]))
                yield path


def recapitulate(operator: Visitor, month: str, folder: Path) -> Iterator[Path]:
    """Download the report of `month` (`2026-03`) as XLSX and PDF into `folder`, as the operator; yield the paths."""
    for format_ in ("xlsx", "pdf"):
        path = folder / f"rekap-bulanan-{month}.{format_}"
        path.write_bytes(operator.download(f"/api/v1/reports/monthly?month={month}&format={format_}"))
        yield path


def _told(journeys: Sequence[Journey], planned: int, seconds: float) -> Iterator[str]:
    for journey in journeys:
        yield from screen.journey_lines(journey)
        yield ""
    yield from screen.summary(journeys, planned, seconds)
