"""Users' texts and names never reorder the text around them, whatever their direction."""

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.unit.gateway import visits
from tests.unit.gateway.visits import FakeBackend, log_in

FOREIGN = "\u05e9\u05dc\u05d5\u05dd"
TICKET = "NKK-2026-6GKQ-DHSZ"
AT = "2026-03-02T01:00:00.000000Z"
LISTS = {
    "categories": {"kode-etik": {"name": FOREIGN, "source": FOREIGN, "sub_categories": {"bernegara": FOREIGN}}},
    "opds": {"inspektorat": FOREIGN},
}
CASE = {
    "ticket": TICKET,
    **dict.fromkeys(
        (
            "subject_line",
            "text",
            "place",
            "happened_on",
            "accused_name",
            "accused_position",
            "note",
            "response",
            "return_note",
        ),
        FOREIGN,
    ),
    "category": "kode-etik",
    "sub_category": "bernegara",
    "accused_opd": "inspektorat",
    "opd": "inspektorat",
    "confidential": False,
    "claimed_kind": "complaint",
    "reporter_kind": "public",
    "round": 1,
    "submitted_at": AT,
    "came_at": AT,
    "due_at": AT,
    "service_due_at": AT,
    "left_minutes": 5,
    "service_left_minutes": 5,
    "claim": {"by": "other", "since": AT},
    "stands": {"state": "awaiting_response", "since": AT},
}
ENTRY = {
    "step": 3,
    "event": "complaint.forwarded.v1",
    "role": "main_team",
    "at": AT,
    "by": "other",
    "note": FOREIGN,
    "opd": "inspektorat",
    "minutes": 5,
    "round": 1,
}
ANSWER = {
    "text": FOREIGN,
    "sent_at": AT,
    "closed_at": None,
    "how": None,
    "confirmed_at": None,
    "material": FOREIGN,
    "note": FOREIGN,
}
CALENDAR = {
    "version": 1,
    "changed_at": AT,
    "changed_by": "other",
    "calendar": {
        "week": [[]] * 7,
        "seasons": [{"name": FOREIGN, "first": "2099-01-01", "last": "2099-01-02", "week": [[]] * 7}],
        "days": {"2099-01-01": {"name": FOREIGN, "spans": []}},
        "national_years": [],
    },
}
STAFF = {
    "username": "petugas",
    "name": FOREIGN,
    "role": "opd_team",
    "opd": "inspektorat",
    "disabled_at": None,
    "locked_until": None,
    "slowed_until": None,
    "slowed_sources": 0,
}
ANSWERS = {
    "complaint": CASE,
    "case": CASE,
    "complaints": {"items": [CASE], "next": None},
    "standings": {},
    "answer": {"stands": {"state": "awaiting_answer"}, "answer": ANSWER},
    "open_answer": {"stands": {"state": "receive"}, "answer": ANSWER},
    "timeline": {
        "ticket": TICKET,
        "path": "complaint",
        "submitted_at": AT,
        "service_due_at": AT,
        "next": None,
        "stands": {"state": "respond", "step": 4},
        "entries": [ENTRY],
    },
    "worklist": {"items": [CASE], "next": None},
    "undelivered": {"items": [], "next": None},
    "staff_names": {"other": FOREIGN},
    "is_confidential": False,
    "staff": {"items": [STAFF], "next": None},
    "staff_account": STAFF,
    "lists": LISTS | {"changed_at": None},
    "teams": {},
    "calendar": CALENDAR,
    "calendar_versions": {"items": [CALENDAR], "next": None},
    "national_days": {"days": {"2099-01-01": {"name": FOREIGN, "spans": []}}, "joint_leave": []},
}
PAGES = [
    ("reporter", "/laporan"),
    ("reporter", f"/laporan/{TICKET}"),
    ("reporter", f"/laporan/{TICKET}/tanda-terima"),
    ("reporter", "/laporan/baru?kunci=" + "0" * 32),
    ("operator", f"/laporan/{TICKET}"),
    ("main_team", f"/laporan/{TICKET}"),
    ("opd_team", f"/laporan/{TICKET}"),
    ("opd_team", "/meja/opd"),
    ("main_team", "/meja/tim-utama"),
    ("operator", "/meja/serah-terima"),
    ("admin", "/admin/staf"),
    ("admin", "/admin/staf/baru"),
    ("admin", "/admin/staf/petugas"),
    ("admin", "/admin/kategori"),
    ("admin", "/admin/kategori/kode-etik"),
    ("admin", "/admin/perangkat-daerah"),
    ("admin", "/admin/alamat-tim"),
    ("admin", "/admin/kalender"),
    ("admin", "/admin/kalender/versi"),
    ("admin", "/admin/kalender/versi/1"),
    ("admin", "/admin/kalender/hari-nasional"),
]
VOID = {"meta", "link", "input", "br", "img", "wbr"}


class Loose(HTMLParser):
    """Collects users' texts outside any element that isolates their direction."""

    def __init__(self) -> None:
        super().__init__()
        self.around: list[tuple[str, bool]] = []
        self.found: list[str] = []
        self.seen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        apart = tag == "bdi" or ("dir", "auto") in attrs
        if ("type", "hidden") not in attrs:
            for name, value in attrs:
                self._look(value or "", apart, f"{tag} {name}")
        if tag not in VOID:
            self.around.append((tag, apart))

    def handle_endtag(self, tag: str) -> None:
        while self.around and self.around.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        self._look(data, any(apart for _, apart in self.around), " ".join(tag for tag, _ in self.around[-3:]))

    def _look(self, text: str, apart: bool, where: str) -> None:
        self.seen += text.count(FOREIGN)
        if not apart and text.count(FOREIGN) > text.count(f"\u2068{FOREIGN}\u2069"):
            self.found.append(where)


@pytest.mark.parametrize(("role", "page"), PAGES)
def test_on_every_page_it_keeps_its_direction_to_itself(
    client: FlaskClient,
    stages: FakeBackend,
    opened: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    role: str,
    page: str,
) -> None:
    monkeypatch.setattr(visits, "LISTS", LISTS)
    log_in(client, stages, opened(role))
    stages.answers |= ANSWERS
    answer = client.get(page)
    assert answer.status_code == 200
    looked = Loose()
    looked.feed(answer.text)
    assert looked.seen
    assert looked.found == []
