"""What each document may show, and in what form.

The allow-list is in code and not in the templates, because an agency edits those, and no edit may put a reporter's
identity into a document that leaves the operator's desk (Perpres 76/2013; UU 27/2022).
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from gateway.documents import basis, recap, wording
from gateway.documents.errors import ContentError
from nkk.sop.clock import is_day
from nkk.sop.indonesian import ROLES, written_date, written_instant
from nkk.sop.report import WRITTEN
from nkk.sop.steps import SERVICE_MINUTES, STEPS

FORM = "form-pengaduan"
REPORTER = "data-pemberi-aduan"
COMPLAINT = "data-pengaduan"
REPORT = "laporan-pengaduan"
RESPONSE = "laporan-tanggapan-pengaduan"
RECEIPT = "tanda-terima"
PAPER_RECEIPT = "tanda-terima-loket"
ANSWER_LETTER = "surat-jawaban"
RECAP = "rekap-bulanan"

KINDS = {
    FORM: "Form Pengaduan",
    REPORTER: "Data Pemberi Aduan",
    COMPLAINT: "Data Pengaduan",
    REPORT: "Laporan Pengaduan",
    RESPONSE: "Laporan Tanggapan Pengaduan",
    RECEIPT: "Tanda Terima Pengaduan",
    PAPER_RECEIPT: "Tanda Terima Pengaduan",
    ANSWER_LETTER: "Jawaban atas Pengaduan",
    RECAP: "Rekapitulasi Bulanan Pelayanan Pengaduan",
}
"""The kinds of documents, with their titles."""

_ALWAYS = {"ticket", "tracking_url"}
_ENTERED = {*WRITTEN, "reporter_kind", "claimed_kind", "confidential", "submitted_at", "files"}

SHOWN: dict[str, frozenset[str]] = {
    FORM: frozenset(_ALWAYS | _ENTERED | {"channel", "conflict"}),
    REPORTER: frozenset(_ALWAYS | {"subject_line", "submitted_at", "confidential", "reporter"}),
    COMPLAINT: frozenset(_ALWAYS | _ENTERED | {"handed_over_at", "service_due_at"}),
    REPORT: frozenset(
        _ALWAYS | _ENTERED | {"handed_over_at", "service_due_at", "path", "opd", "note", "classified_at", "steps"}
    ),
    RESPONSE: frozenset(
        _ALWAYS
        | {
            "subject_line",
            "category",
            "sub_category",
            "submitted_at",
            "service_due_at",
            "path",
            "opd",
            "round",
            "joined_count",
            "response",
            "responded_at",
            "return_note",
            "approved_at",
            "answer",
            "answered_at",
            "closed_at",
            "how",
            "steps",
            "attachments",
        }
    ),
    RECEIPT: frozenset(
        _ALWAYS
        | {"claimed_kind", "category", "sub_category", "subject_line", "submitted_at", "service_due_at", "files"}
    ),
    PAPER_RECEIPT: frozenset(
        _ALWAYS | {"channel", "submitted_at", "service_due_at", "files", "access_code", "access_code_expires_at"}
    ),
    ANSWER_LETTER: frozenset(
        _ALWAYS | {"subject_line", "submitted_at", "answer", "answered_at", "attachments", "may_object", "code_url"}
    ),
    RECAP: frozenset(recap.KEYS),
}
"""The keys of the content that each kind may show; others are dropped before a template sees them."""

REPORTER_KEYS = ("kind", "identity_number", "name", "email", "phone", "username")
LISTS = ("steps", "files", "attachments")
FILE_KEYS = ("number", "kind", "size", "sha256", "came_sha256", "cleaned")
DIGITS = 16
"""How many digits of a SHA-256 are shown."""

STEP_KEYS = ("number", "activity", "role", "minutes", "came_at", "due_at", "done_at", "used_minutes", "late", "round")

_REPORTER_KINDS: dict[str, str | None] = {"civil_servant": "Aparatur Sipil Negara (ASN)", "public": "Masyarakat"}
_NAMES: dict[str, dict[str, str | None]] = {
    "reporter_kind": _REPORTER_KINDS,
    "claimed_kind": {"complaint": "Pengaduan", "information": "Informasi", "aspiration": "Aspirasi"},
    "path": {
        "complaint": "Pengaduan (diteruskan kepada Tim NKK Pembantu OPD)",
        "information": "Informasi (dijawab langsung oleh operator)",
    },
    "channel": {
        "web": None,
        "counter": "Loket",
        "telephone": "Telepon",
        "letter": "Surat",
        "social_media": "Media sosial",
    },
    "how": {
        "confirmed": "Penerimaan dikonfirmasi oleh pelapor",
        "opened": "Tanggapan dibuka oleh pelapor",
        "lapsed": "Dianggap diterima: 10 hari kerja telah lewat sejak tanggapan dikirim",
    },
}


def context(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """Return the names that the template of `kind` may use, with their texts; None where one does not apply.

    Raises ContentError where a value does not match the contract.
    """
    if not isinstance(content, dict):
        raise ContentError("The content must be an object.")
    shown = recap.shown(content) if kind == RECAP else {key: _shown(key, content.get(key)) for key in SHOWN[kind]}
    return shown | constants(kind)


def constants(kind: str) -> dict[str, Any]:
    """Return the names that every document of `kind` has, whatever its content."""
    return {
        "title": KINDS[kind],
        "agency": basis.AGENCY,
        "legal_basis": basis.LEGAL_BASIS,
        "unit": basis.UNIT,
        "section": basis.SECTION,
        "unit_basis": basis.UNIT_BASIS,
        "service_time": wording.minutes(SERVICE_MINUTES),
        "procedure": [
            {
                "number": str(step.number),
                "activity": step.activity,
                "role": ROLES[step.role],
                "minutes": wording.minutes(step.minutes),
            }
            for step in STEPS
        ],
    }


def _shown(key: str, value: Any) -> Any:
    if value is None or value == "":
        return [] if key in LISTS else None
    try:
        return _HOW.get(key, _text)(key, value)
    except (ValueError, TypeError, AttributeError, KeyError):
        raise ContentError(f"{key} does not match the contract.") from None


def _text(key: str, value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _name(key: str, value: Any) -> str | None:
    return _NAMES[key][value]


def _instant(key: str, value: Any) -> str:
    moment = wording.instant(value)
    return written_date(moment.date()) if is_day(value) else written_instant(moment)


def _day(key: str, value: Any) -> str:
    """Return a day as the reporter gave it: a date, or their own words."""
    try:
        return written_date(date.fromisoformat(value))
    except ValueError:
        return _text(key, value)


def _yes_or_no(key: str, value: Any) -> str:
    return "Ya" if value else "Tidak"


def _if_marked(key: str, value: Any) -> str | None:
    return "Ya, menurut pelapor" if value else None


def _if_true(key: str, value: Any) -> str | None:
    return "Ya" if value else None


def _whole(key: str, value: Any) -> str:
    return str(int(value))


def _reporter(key: str, value: Any) -> dict[str, Any]:
    shown = {name: _shown(name, value.get(name)) for name in REPORTER_KEYS}
    kind = value.get("kind")
    return shown | {
        "kind": _REPORTER_KINDS[kind] if kind else None,
        "identity_label": {"civil_servant": "NIP", "public": "NIK"}.get(kind, "NIP/NIK"),
    }


def _steps(key: str, value: Any) -> list[dict[str, Any]]:
    return [_step(step) for step in value]


def _step(step: dict[str, Any]) -> dict[str, Any]:
    def moment(name: str) -> str:
        return wording.short(step[name]) if step.get(name) else wording.NOTHING

    late = step.get("late")
    return {
        "number": str(step["number"]),
        "activity": step.get("activity") or wording.NOTHING,
        "role": step.get("role") or wording.NOTHING,
        "minutes": wording.minutes(step.get("minutes")),
        "came_at": moment("came_at"),
        "due_at": moment("due_at"),
        "done_at": moment("done_at"),
        "used_minutes": wording.minutes(step.get("used_minutes")),
        "late": _yes_or_no("late", bool(late)),
        "status": "Terlambat" if late else _in_time(step),
        "round": str(step.get("round") or 1),
    }


def _files(key: str, value: Any) -> list[dict[str, Any]]:
    return [_file(file) for file in value]


def _file(file: dict[str, Any]) -> dict[str, Any]:
    came = file.get("came_sha256")
    return {
        "number": _text("number", file["number"]),
        "what": f"{_text('kind', file['kind'])}, {wording.size(int(file['size']))}",
        "digest": file["sha256"][:DIGITS],
        "came_digest": came[:DIGITS] if came else None,
        "state": "Data tersembunyi dihapus" if file["cleaned"] else "Seperti aslinya",
    }


def _in_time(step: dict[str, Any]) -> str:
    """Return the status of a step that is not late. A step of the reporter's is not judged (`late` is None)."""
    if not step.get("done_at"):
        return "Berjalan"
    return wording.NOTHING if step.get("late") is None else "Tepat waktu"


_HOW: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(_NAMES, _name),
    **dict.fromkeys(
        (
            "submitted_at",
            "service_due_at",
            "handed_over_at",
            "classified_at",
            "responded_at",
            "approved_at",
            "answered_at",
            "closed_at",
            "access_code_expires_at",
        ),
        _instant,
    ),
    "happened_on": _day,
    "confidential": _yes_or_no,
    "conflict": _if_marked,
    "may_object": _if_true,
    "round": _whole,
    "joined_count": _whole,
    "reporter": _reporter,
    "steps": _steps,
    "files": _files,
    "attachments": _files,
}
