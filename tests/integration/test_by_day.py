"""For Tim Utama and the OPD teams, the times of what a reporter did are rounded to the day.

The same journey is run several times. The staff act at the same moments, the reporter at other times of the same days.
All that these roles can request from the API and the site must be the same bytes each time. So no value from which the
minute could be derived is overlooked.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from flask import Flask, g

from gateway import papers
from gateway.backend import Backend
from gateway.documents import render
from nkk.messaging.calls import RefusedRemotelyError
from nkk.settings.keys import as_pem
from nkk.sop.clock import WIB
from nkk.sop.refusals import Refused
from nkk.sop.ticket import new_ticket
from nkk.trust.actor import Actor, Caller, grant
from ops.stack.keys import new_keys
from tests.builders import REPORT, own_upload
from tests.current.documents import application, openapi
from tests.stages import MAIN_TEAM, OPD, OPD_TEAM, OPERATOR, REPORTER, House, house

KEYS = new_keys()
TICKETS = [new_ticket(2026), new_ticket(2026)]
TOLD_BY_DAY = {"main_team": MAIN_TEAM, "opd_team": OPD_TEAM}


class AtHome(Backend):
    """The backend of a gateway whose stages run in this process."""

    def __init__(self, stages: House) -> None:
        self._stages = stages

    def call(self, stage: str, method: str, *args: Any) -> Any:
        service = self._stages.services[stage]
        service.caller = Caller(g.get("token"), as_pem(KEYS["NKK_TOKEN_PUBLIC_KEY"]))
        try:
            return json.loads(json.dumps(getattr(service, method)(*args)))
        except Refused as refusal:
            raise RefusedRemotelyError(type(refusal).__name__, refusal.code, refusal.details) from None

    def ask_intake(self, method: str, content: dict[str, Any]) -> Any:
        """Answer the only sealed call that a GET makes, which is for the caller's own name."""
        assert method == "own_name"
        return {"username": "petugas"}

    def lists(self) -> Any:
        return self.call("intake", "lists")

    def figures(self) -> Any:
        return self.call("notification", "figures")


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder: Path = tmp_path_factory.mktemp("by-day")
    # Documents are made in this process, because their content is tested, and not their isolation.
    printed = patch("gateway.papers.make", lambda *asked, account, is_staff, **more: render(*asked, **more))
    with printed, house(lambda stage: f"sqlite:///{folder}/{stage}.db") as built:
        yield built


@pytest.fixture(scope="module")
def app(stages: House) -> Flask:
    """Return a gateway, API and site, of those stages."""
    built = application(
        TOKEN_PUBLIC_KEY=as_pem(KEYS["NKK_TOKEN_PUBLIC_KEY"]), LIMIT_DOCUMENTS="9999/minute", CLOCK=lambda: stages.now
    )
    built.extensions["nkk"] = AtHome(stages)
    return built


def at(day: int, time: str) -> datetime:
    """Return a moment of March 2026, of which the 2nd is a Monday."""
    return datetime.fromisoformat(f"2026-03-{day:02} {time}:17.123456").replace(tzinfo=WIB).astimezone(UTC)


BARRED: dict[str, set[str]] = defaultdict(set)
"""The addresses that a role may not open at all, which are requested once only."""

PAPER = re.compile("/documents/|/dokumen/|xlsx")

WAYS = [("08:13", "09:41", "11:26"), ("10:27", "15:58", "15:33")]
"""The times at which a reporter submits, opens the answer, and submits another report, which stays unhandled.

All are in office hours, because a report submitted after them is due a day later, which staff may see. Some come after
the day's look in one run only.
"""

STAFF: list[tuple[int, str, str, str, Actor, tuple[Any, ...]]] = [
    (2, "10:31", "intake", "hand_over", OPERATOR, ()),
    (2, "11:02", "triage", "forward", MAIN_TEAM, (OPD, "Mohon ditanggapi.")),
    (3, "08:20", "opd_response", "respond", OPD_TEAM, ("Sudah.",)),
    (3, "08:45", "triage", "approve", MAIN_TEAM, (None,)),
    (4, "08:39", "notification", "send_answer", OPERATOR, ("Terima kasih.",)),
]
"""The acts of the staff, in time by one run's service clock and late by the other's: all are due on the 4th."""

LOOKS = [at(2, "10:50"), at(4, "14:07"), at(5, "08:10")]
"""The moments at which all addresses are requested: the case at Tim Utama's desk, the answer sent, and the day after.

Documents and spreadsheets are slow to make, and are requested at the last of these only.
"""


def go(
    stages: House, app: Flask, way: tuple[str, str, str], roles: dict[str, Actor], papers_at: datetime | None = None
) -> list[dict[str, bytes]]:
    """Run one journey; return what `roles` are shown at each of LOOKS, with documents at `papers_at` only."""
    wrote, opened, again = way
    reporters: list[tuple[datetime, Any]] = [
        (at(2, wrote), ("intake", "submit", REPORTER, dict(REPORT))),
        (at(4, again), ("intake", "submit", REPORTER, dict(REPORT))),
        (at(4, opened), ("notification", "open_answer", REPORTER, TICKETS[0])),
    ]
    return carried_out(stages, app, reporters, STAFF, LOOKS, roles, papers_at)


def carried_out(
    stages: House,
    app: Flask,
    reporters: list[tuple[datetime, Any]],
    staff: list[tuple[int, str, str, str, Actor, tuple[Any, ...]]],
    looks: list[datetime],
    roles: dict[str, Actor],
    papers_at: datetime | None,
) -> list[dict[str, bytes]]:
    """Carry out these acts; return what `roles` are shown at each of `looks`."""
    acts: list[tuple[datetime, Any]] = [
        *reporters,
        *((at(day, time), (stage, act, actor, TICKETS[0], *args)) for day, time, stage, act, actor, args in staff),
        *((moment, None) for moment in looks),
    ]
    stages.empty()
    numbers, seen = count(), []
    with patch("services.intake.domain.new_ticket", lambda _year: TICKETS[next(numbers)]):
        for moment, act in sorted(acts, key=lambda row: row[0]):
            stages.now = moment
            if act is None:
                seen.append(
                    {
                        f"{role} {address}": body
                        for role, actor in roles.items()
                        for address, body in everything(app, actor, papers_too=moment == papers_at)
                    }
                )
            else:
                stages.do(*act)
                stages.settle()
    return seen


def everything(app: Flask, actor: Actor, papers_too: bool) -> Iterator[tuple[str, bytes]]:
    """Yield API and site addresses that `actor` can GET, with the responses; documents only if `papers_too`."""
    token, _ = grant(actor, as_pem(KEYS["NKK_TOKEN_SIGNING_KEY"]))
    client = app.test_client()
    client.set_cookie("nkk_access", token)
    addresses = [*operations(), *pages(app)]
    for address in addresses if papers_too else [each for each in addresses if not PAPER.search(each)]:
        if address in BARRED[actor.role]:
            continue
        answer = client.get(address, headers={"Authorization": f"Bearer {token}"} if "/api/" in address else {})
        assert answer.status_code < 500, address
        if answer.status_code == 403:
            BARRED[actor.role].add(address)
        yield address, b"%d " % answer.status_code + without_chance(answer.data)


def operations() -> list[str]:
    """Return the API's GET addresses, filled in, without streams."""
    paths = [path for path, item in openapi()["paths"].items() if "get" in item and not path.endswith("/changes")]
    assert len(paths) > 15
    filled = [address for path in paths for address in filled_in(path.replace("{", "<").replace("}", ">"))]
    return [
        f"{address}?month=2026-03&format={form}" if address.endswith("/monthly") else address
        for address in filled
        for form in (("json", "xlsx") if address.endswith("/monthly") else ("",))
    ]


def pages(app: Flask) -> list[str]:
    """Return the site's GET addresses, filled in."""
    rules = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ())
        and not rule.rule.startswith(("/api/", "/healthz", "/readyz"))
        and "perubahan" not in rule.rule
    ]
    assert len(rules) > 30
    return [address for rule in rules for address in filled_in(re.sub(r"<[^<>]*:(\w+)>", r"<\1>", rule))]


def filled_in(path: str) -> list[str]:
    """Return `path` filled in with each ticket, document kind and desk."""
    values = {
        "ticket": TICKETS,
        "kind": sorted(papers.OF_COMPLAINTS),
        "key": ["tim-utama", "opd"],
        "month": ["2026-03"],
        "format": ["docx"],
    }
    found = [path]
    for name in re.findall(r"<(\w+)>", path):
        found = [each.replace(f"<{name}>", value) for each in found for value in values.get(name, ["1"])]
    return found


def without_chance(body: bytes) -> bytes:
    """Return `body` without the values that differ in each response: CSRF tokens and request ids."""
    body = re.sub(rb'name="csrf_token" value="[^"]+"|"token":"[^"]+"', b"", body)
    return re.sub(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", b"", body)


def differing(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """Return the addresses whose responses differ between two runs."""
    return [address for address in one.keys() & other.keys() if one[address] != other[address]]


@pytest.fixture(scope="module")
def seen(stages: House, app: Flask) -> list[list[dict[str, bytes]]]:
    """Return what these roles are shown in each run."""
    return [go(stages, app, way, TOLD_BY_DAY, LOOKS[-1]) for way in WAYS]


def test_whatever_these_roles_can_ask_is_answered_alike_on_each_way(seen: list[list[dict[str, bytes]]]) -> None:
    for way, shown in zip(WAYS[1:], seen[1:], strict=True):
        for look, (one, other) in enumerate(zip(seen[0], shown, strict=True)):
            assert differing(one, other) == [], (way, look)


OBJECTING = [("12:34", "12:49", "10:03"), ("16:41", "16:58", "13:56")]
"""The times at which a reporter objects to the answer, adds to the report, and withdraws it the day after."""

ANEW = [*STAFF, (5, "08:30", "triage", "forward", MAIN_TEAM, (OPD, "Mohon ditanggapi lagi."))]

LOOKS_AGAIN = [at(5, "08:10"), at(5, "15:02"), at(6, "08:10")]


def test_the_minute_of_an_objection_or_a_withdrawal_is_answered_on_no_way(stages: House, app: Flask) -> None:
    added_file = own_upload()

    def shown(objected: str, added: str, withdrew: str) -> list[dict[str, bytes]]:
        reporters: list[tuple[datetime, Any]] = [
            (at(2, "08:13"), ("intake", "submit", REPORTER, dict(REPORT))),
            (at(4, objected), ("notification", "object_to", REPORTER, TICKETS[0], "Tidak menyebut tindakan.")),
            (at(4, added), ("intake", "supplement", REPORTER, TICKETS[0], [added_file])),
            (at(5, withdrew), ("intake", "withdraw", REPORTER, TICKETS[0], "Sudah diperbaiki.")),
        ]
        return carried_out(stages, app, reporters, ANEW, LOOKS_AGAIN, TOLD_BY_DAY, LOOKS_AGAIN[-1])

    for look, (one, other) in enumerate(zip(*(shown(*way) for way in OBJECTING), strict=True)):
        assert differing(one, other) == [], look
        for role in TOLD_BY_DAY:
            assert one[f"{role} /api/v1/complaints/{TICKETS[0]}/timeline"].startswith(b"200"), look


def test_no_exact_time_of_a_reporters_is_to_be_read(seen: list[list[dict[str, bytes]]]) -> None:
    for way, shown in zip(WAYS, seen, strict=True):
        for time in way:
            hour, minute = int(time[:2]), time[3:]
            told = [f"{written:02}{mark}{minute}" for written in (hour, (hour - 7) % 24) for mark in ":."]
            found = [
                address for look in shown for address, body in look.items() for text in told if text.encode() in body
            ]
            assert found == [], (time, found)


def test_they_are_told_the_days(seen: list[list[dict[str, bytes]]]) -> None:
    day, due = "2026-03-02T00:00:00+07:00", "2026-03-04T00:00:00+07:00"
    _, opened, after = seen[0]
    for role, actor in TOLD_BY_DAY.items():
        case = json.loads(after[f"{role} /api/v1/complaints/{TICKETS[0]}"][4:])
        assert (case.get("submitted_at", day), case["service_due_at"]) == (day, due)
        told = json.loads(after[f"{role} /api/v1/complaints/{TICKETS[0]}/timeline"][4:])
        first, second, *_, last = told["entries"]
        assert (told["submitted_at"], told["service_due_at"], told["stands"]["state"]) == (day, due, "closed")
        assert (first["at"], last["at"], last["step"]) == (day, due, 7)
        assert [second[name] for name in ("came_at", "due_at", "used_minutes", "late")] == [day, day, None, None]
        # On the day itself the closing is not shown: its appearance would reveal the minute to anyone who polls.
        told = json.loads(opened[f"{role} /api/v1/complaints/{TICKETS[0]}/timeline"][4:])
        assert (told["stands"]["state"], told["entries"][-1]["step"]) == ("receive", 6)
        page = after[f"{role} /laporan/{TICKETS[0]}"].decode()
        assert "Sen, 2 Mar 2026" in page
        assert actor.id not in page


def test_the_operator_whose_step_the_clock_is_is_told_all_so_that_these_tests_would_see_it(
    stages: House, app: Flask
) -> None:
    one, other = (go(stages, app, way, {"operator": OPERATOR}) for way in WAYS[:2])
    seen = differing(one[-1], other[-1])
    for path in (
        f"/api/v1/complaints/{TICKETS[0]}",
        f"/api/v1/complaints/{TICKETS[0]}/timeline",
        f"/laporan/{TICKETS[0]}",
        "/ikhtisar",
        "/api/v1/reports/monthly?month=2026-03&format=json",
    ):
        assert f"operator {path}" in seen
