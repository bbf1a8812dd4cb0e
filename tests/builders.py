"""Small builders of valid objects; keywords set what the test is about."""

import uuid
from datetime import UTC, datetime
from typing import Any

from nkk.contracts import Event, EventData
from nkk.sop.clock import OFFICE_HOURS, WIB
from services.intake import domain as intake
from services.notification import domain as notification
from services.notification.entries import Entry
from services.opd_response import domain as opd_response
from services.triage import domain as triage

MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=WIB)
"""A Monday morning, half an hour after the offices open."""

TICKET = "NKK-2026-EDXY-ER30"

REPORT = {
    "claimed_kind": "complaint",
    "category": "kode-perilaku",
    "sub_category": "disiplin",
    "subject_line": "Loket tutup sebelum waktunya",
    "text": "Loket pelayanan ditutup pukul 14.00 padahal antrean masih panjang.",
    "place": "Loket 3, kantor pelayanan",
    "happened_on": "Senin, 2 Maret 2026",
    "accused_name": None,
    "accused_position": "Petugas loket",
    "accused_opd": "disdukcapil",
}


def complaint_form(**changed: Any) -> dict[str, Any]:
    """Return a Form Pengaduan as intake's schema loads it."""
    return REPORT | {"confidential": False} | changed


def entry_form(**changed: Any) -> dict[str, Any]:
    """Return an entry as a website's server sends it, with the person who reports."""
    reporter = {
        "kind": "public",
        "identity_number": "1971014107900001",
        "name": "Siti Rahmawati Binti Contoh",
        "email": f"{uuid.uuid4().hex}@example.id",
        "phone": None,
    }
    return complaint_form(reporter=reporter) | changed


def complaint(now: datetime = MONDAY, **changed: Any) -> intake.Complaint:
    """Return a report submitted at `now`."""
    return intake.Complaint.submit(complaint_form(**changed), "reporter-1", "public", now, OFFICE_HOURS)


def triage_case(**changed: Any) -> triage.Case:
    """Return a report at the main team's desk, not yet classified."""
    times = {"submitted_at": MONDAY, "service_due_at": MONDAY, "came_at": MONDAY, "due_at": MONDAY}
    return triage.Case(
        **{"ticket": TICKET, "reporter_kind": "public", "confidential": False, **REPORT, **times, **changed}
    )


def opd_case(**changed: Any) -> opd_response.Case:
    """Return a complaint at a helper team's desk, not yet responded to."""
    report = {name: value for name, value in REPORT.items() if name != "claimed_kind"}
    times = {"service_due_at": MONDAY, "came_at": MONDAY, "due_at": MONDAY}
    return opd_response.Case(**{"ticket": TICKET, "opd": "disdukcapil", "note": None, **report, **times, **changed})


def answer(**changed: Any) -> notification.Answer:
    """Return a complaint that waits for its answer."""
    return notification.Answer(
        **{
            "ticket": TICKET,
            "path": "complaint",
            "material": "Petugas telah ditegur.",
            "note": None,
            "service_due_at": MONDAY,
            "came_at": MONDAY,
            "due_at": MONDAY,
            **changed,
        }
    )


def upload(**changed: Any) -> dict[str, Any]:
    """Return the descriptor of an upload, as the gateway sends it to the stage that attaches it."""
    return {
        "id": uuid.uuid4().hex[:22],
        "media_type": "image/jpeg",
        "size": 48_213,
        "sha256": "5f2c" * 16,
        "cleaned": True,
        "readable": True,
        "scan": "clean",
    } | changed


def own_upload(**changed: Any) -> dict[str, Any]:
    """Return the descriptor of a reporter's upload."""
    return upload(came_size=51_902, came_sha256="a6e3" * 16) | changed


def entry(type_: str, at: datetime = MONDAY, **known: Any) -> Entry:
    """Return one event of a timeline, as notification stores it."""
    event_id = known.pop("event_id", None) or f"{type_} {known.get('round', 0)}"
    return Entry(type=type_, at=at, event_id=event_id, ticket=TICKET, **known)


def heard(data: EventData, time: datetime = MONDAY, **changed: Any) -> Event[Any]:
    """Return `data` as a consumer gets it: serialised and parsed."""
    event_id = changed.pop("event_id", None) or str(uuid.uuid4())
    return type(data).read(data.to_json(event_id, time.astimezone(UTC), changed.pop("correlation_id", None)))
