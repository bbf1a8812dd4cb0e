"""Sample content with every key of the contract, about fictional people."""

from typing import Any

from nkk.sop.steps import STEPS

_INSTANTS = [f"2026-03-0{2 + index // 3}T0{2 + index % 3 * 2}:15:00Z" for index in range(9)]
_DURATIONS = {"median_minutes": 52.5, "p90_minutes": 310, "on_time_share": 0.933}
_FIGURES = {"count": 30, **_DURATIONS}


def sample() -> dict[str, Any]:
    """Return content for any kind of document."""
    return _report() | _course() | _recap() | {"steps": [_step(index) for index in range(len(STEPS))]}


def _report() -> dict[str, Any]:
    return {
        "ticket": "NKK-2026-000123",
        "tracking_url": "https://pengaduan.example.id/lacak/NKK-2026-000123",
        "code_url": "https://pengaduan.example.id/akun/kode",
        "reporter_kind": "public",
        "claimed_kind": "complaint",
        "category": "Kode perilaku",
        "sub_category": "Cermat dan disiplin",
        "accused_opd": "Dinas Perhubungan",
        "subject_line": "Petugas loket meninggalkan tempat pada jam layanan",
        "text": "Loket dua tidak dilayani sejak pukul 09.00.\nPetugas baru kembali pukul 11.00.",
        "place": "Loket pelayanan Dinas Perhubungan",
        "happened_on": "2026-02-27",
        "accused_name": "Petugas loket dua",
        "accused_position": "Staf pelayanan",
        "channel": "counter",
        "access_code": "7H4K-Q2MV-0NXV-3M3W",
        "access_code_expires_at": _INSTANTS[6],
        "confidential": True,
        "conflict": True,
        "files": [_file("1", "JPEG", 1_284_311), _file("2", "PDF", 88_120)],
        "submitted_at": _INSTANTS[0],
        "service_due_at": _INSTANTS[6],
        "reporter": {
            "kind": "public",
            "identity_number": "1971010101900001",
            "name": "Contoh Pelapor",
            "email": "pelapor@example.id",
            "phone": "0800-0000-0000",
            "username": "contoh.pelapor",
        },
    }


def _file(number: str, kind: str, size: int) -> dict[str, Any]:
    return {
        "number": number,
        "kind": kind,
        "size": size,
        "sha256": "5f2c0b9d7e41a6e3" * 4,
        "came_sha256": "c31a7f20d48b19fe" * 4,
        "cleaned": True,
    }


def _course() -> dict[str, Any]:
    return {
        "handed_over_at": _INSTANTS[1],
        "path": "complaint",
        "classified_at": _INSTANTS[2],
        "opd": "Dinas Perhubungan",
        "note": "Mohon diperiksa daftar hadir petugas loket.",
        "round": 2,
        "joined_count": 1,
        "response": "Petugas telah ditegur secara tertulis dan jadwal loket diperbaiki.",
        "responded_at": _INSTANTS[3],
        "return_note": "Mohon disebutkan tindakan yang diambil.",
        "approved_at": _INSTANTS[4],
        "answer": "Terima kasih. Petugas telah ditegur dan jadwal loket diperbaiki.",
        "answered_at": _INSTANTS[5],
        "closed_at": _INSTANTS[6],
        "attachments": [_file("R2-1", "PDF", 240_077)],
        "how": "opened",
        "may_object": True,
    }


def _step(index: int) -> dict[str, Any]:
    """Return a row that serves both as a case's step and as a month's figures."""
    step = STEPS[index]
    return {
        "number": step.number,
        "activity": step.activity,
        "role": "Operator/Agen",
        "minutes": step.minutes,
        "came_at": _INSTANTS[index],
        "due_at": _INSTANTS[index + 1],
        "done_at": _INSTANTS[index + 1],
        "used_minutes": 12,
        "late": index == 3,
        "round": 1,
        "standard_minutes": step.minutes,
        **_FIGURES,
    }


def _recap() -> dict[str, Any]:
    return {
        "month": "2026-03",
        "accepted": 42,
        "answered": 36,
        "closed": 30,
        "withdrawn": 2,
        "abandoned": 1,
        "objected": 1,
        "joined": 3,
        "open": 12,
        "late": 3,
        "by_path": [{"name": "Pengaduan", "count": 28}, {"name": "Informasi", "count": 14}],
        "by_channel": [{"name": "Situs web", "count": 37}, {"name": "Loket", "count": 5}],
        "by_category": [{"name": "Kode perilaku", "sub_category": "Cermat dan disiplin", "count": 9}],
        "by_opd": [
            {
                "name": "Dinas Perhubungan",
                "forwarded": 17,
                "declined": 1,
                "recalled": 1,
                "open": 5,
                "late": 2,
                "responses": 19,
                **_DURATIONS,
            }
        ],
        "service": {"standard_minutes": 900, **_FIGURES},
        "ratings": {"count": 32, "average": 3.4},
        "by_rating": [{"rating": rating, "count": count} for rating, count in enumerate((5, 5, 5, 7, 10), 1)],
        "open_cases": [
            {
                "ticket": "NKK-2026-000123",
                "path": "complaint",
                "step": 4,
                "activity": "Menerima pengaduan dan melakukan proses tanggapan",
                "opd": "Dinas Perhubungan",
                "came_at": _INSTANTS[3],
                "due_at": _INSTANTS[4],
                "service_due_at": _INSTANTS[6],
                "late": True,
            }
        ],
    }
