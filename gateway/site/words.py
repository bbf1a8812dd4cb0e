"""The words on pages for the codes of the stages."""

import re
from collections.abc import Mapping
from typing import Any

from flask import Flask
from flask_babel import gettext, lazy_gettext, ngettext
from markupsafe import Markup, escape

from gateway.backend import backend
from gateway.site.language import working_time
from nkk.contracts import views
from nkk.sop import steps
from nkk.sop.text import isolated

_ = lazy_gettext

ROLES = {
    "reporter": _("Pelapor"),
    "operator": _("Operator"),
    "main_team": _("Tim NKK Utama"),
    "opd_team": _("Tim NKK Pembantu"),
    "admin": _("Admin"),
    "website": _("Situs lain"),
}

CHANNELS = {
    "counter": _("Loket"),
    "telephone": _("Telepon"),
    "letter": _("Surat"),
    "social_media": _("Media sosial"),
}
"""The channels by which staff enter a report."""

STEP_NAMES = {
    1: _("Laporan ditulis dan dikirim"),
    2: _("Laporan diterima operator"),
    3: _("Laporan diklasifikasi"),
    4: _("Perangkat daerah menanggapi"),
    5: _("Tanggapan diperiksa"),
    6: _("Jawaban dikirim kepada pelapor"),
    7: _("Jawaban diterima pelapor"),
}

STEP_MEANINGS = {
    1: _("Anda mendaftar, masuk, memilih kategori, lalu menulis laporan, dengan bukti bila ada."),
    2: _("Operator menerima laporan dan menyerahkannya kepada Tim NKK Utama."),
    3: _("Tim NKK Utama memutuskan: informasi dijawab langsung oleh operator; pengaduan diteruskan."),
    4: _("Tim NKK Pembantu di perangkat daerah memproses pengaduan dan menulis tanggapan."),
    5: _("Tim NKK Utama memeriksa tanggapan. Bila belum menjawab, tanggapan dikembalikan dengan catatan."),
    6: _("Operator menulis jawaban dan mengirimkannya; Anda dikabari bila Anda memberi alamat surel."),
    7: _("Anda membaca jawaban dan mengonfirmasi bahwa sudah menerimanya. Setelah itu laporan selesai."),
}

STANDINGS = {
    "hand_over": _("Menunggu operator"),
    "classify": _("Sedang diklasifikasi"),
    "respond": _("Sedang ditanggapi perangkat daerah"),
    "approve": _("Tanggapan sedang diperiksa"),
    "answer": _("Jawaban sedang ditulis"),
    "receive": _("Sudah dijawab"),
    "closed": _("Selesai"),
    "awaiting_hand_over": _("Perlu diserahkan"),
    "handed_over": _("Sudah diserahkan kepada Tim NKK Utama"),
    "awaiting_classification": _("Perlu diklasifikasi"),
    "joined": _("Digabungkan dengan laporan lain"),
    "classified_as_information": _("Diklasifikasi sebagai informasi"),
    "awaiting_response": _("Menunggu tanggapan perangkat daerah"),
    "responded": _("Sudah ditanggapi"),
    "awaiting_approval": _("Tanggapan perlu diperiksa"),
    "approved": _("Tanggapan diteruskan kepada operator"),
    "awaiting_answer": _("Perlu dijawab"),
    "answered": _("Jawaban sudah dikirim"),
    "withdrawn": _("Dicabut"),
    "abandoned": _("Ditutup tanpa jawaban: pertanyaan tidak dijawab"),
    "declined": _("Dinyatakan bukan kewenangan"),
    "recalled": _("Ditarik kembali Tim NKK Utama"),
    "returned": _("Dikembalikan kepada Tim NKK Utama"),
    "objected": _("Pelapor menyatakan keberatan"),
}

TURNS = {
    "response.returned.v1": _("dikembalikan"),
    "response.gathered.v1": _("disimpan, dan diteruskan kepada perangkat daerah lain"),
    "response.concluded.v1": _("tanggapan yang ada diteruskan kepada operator"),
    "response.shared.v1": _("berlaku juga untuk laporan ini"),
    "complaint.joined.v1": _("digabungkan dengan laporan lain"),
    "complaint.parted.v1": _("dipisahkan dari laporan lain"),
    "complaint.declined.v1": _("dinyatakan bukan kewenangan"),
    "complaint.recalled.v1": _("ditarik kembali"),
    "answer.returned.v1": _("dikembalikan operator"),
    "complaint.withdrawn.v1": _("laporan dicabut"),
    "complaint.abandoned.v1": _("ditutup: pertanyaan kepada pelapor tidak dijawab"),
    "complaint.kept.v1": _("dilanjutkan tanpa pelapor"),
    "complaint.reopened.v1": _("keberatan atas jawaban"),
}
"""What an event is called on a page where a step can end, or not end, in several ways."""

BACK = {
    "complaint.parted.v1": _("Dipisahkan dari laporan lain"),
    "complaint.declined.v1": _("Perangkat daerah menyatakan ini bukan kewenangannya"),
    "complaint.recalled.v1": _("Ditarik kembali dari perangkat daerah"),
    "answer.returned.v1": _("Operator mengembalikannya untuk diklasifikasi lagi"),
    "complaint.reopened.v1": _("Pelapor menyatakan keberatan atas jawaban"),
}
"""Why a case is at step 3 again."""

KINDS = {"complaint": _("Pengaduan"), "information": _("Permintaan informasi"), "aspiration": _("Aspirasi")}
PATHS = {"complaint": _("Pengaduan"), "information": _("Informasi")}
REPORTER_KINDS = {"public": _("Masyarakat"), "civil_servant": _("Aparatur sipil negara (ASN)")}
CLOSINGS = {"lapsed": _("Jawaban tidak dibuka selama 10 hari kerja, sehingga dianggap diterima.")}

LETTERS = {
    "received": _("Surat tanda terima"),
    "answered": _("Surat bahwa laporan telah dijawab"),
    "late": _("Surat permintaan maaf karena terlambat"),
    "reminder": _("Surat pengingat bahwa jawaban menunggu dibaca"),
    "withdrawn": _("Surat bahwa laporan dicabut"),
    "withdrawn_late": _("Surat bahwa pencabutan terlambat"),
    "objected": _("Surat bahwa keberatan diterima"),
    "question": _("Surat bahwa ada pertanyaan"),
    "question_reminder": _("Surat pengingat bahwa pertanyaan belum dijawab"),
    "question_lapsed": _("Surat bahwa pertanyaan tidak dijawab"),
    "abandoned": _("Surat bahwa laporan ditutup"),
    "goes_on": _("Surat bahwa laporan dilanjutkan"),
}

DOCUMENTS = {
    "form-pengaduan": _("Form Pengaduan"),
    "tanda-terima": _("Tanda Terima Pengaduan"),
    "data-pemberi-aduan": _("Data Pemberi Aduan"),
    "data-pengaduan": _("Data Pengaduan"),
    "laporan-pengaduan": _("Laporan Pengaduan"),
    "laporan-tanggapan-pengaduan": _("Laporan Tanggapan Pengaduan"),
}

STANDARD = {step.number: step.minutes for step in steps.STEPS}


def why_waiting(why: str | None) -> str:
    """Return why letters wait, in words. `why` is, for example, `AUTH 535 5.7.8` or the name of an error."""
    if why and why.startswith("AUTH "):
        return gettext("server surel tidak menerima nama atau kata sandi layanan ini (%(why)s)", why=why)
    if why and re.search(r" \d{3}", why):
        return gettext("server surel belum mau menerimanya (%(why)s)", why=why)
    if why == "CannotOpenError":
        return gettext("alamatnya tidak dapat dibuka dengan kunci yang dipasang")
    return gettext("server surel tidak dapat dihubungi")


def register(app: Flask) -> None:
    """Make these words available in templates."""
    app.jinja_env.globals["words"] = {
        "roles": ROLES,
        "steps": STEP_NAMES,
        "meanings": STEP_MEANINGS,
        "standings": STANDINGS,
        "turns": TURNS,
        "back": BACK,
        "kinds": KINDS,
        "channels": CHANNELS,
        "paths": PATHS,
        "letters": LETTERS,
        "reporter_kinds": REPORTER_KINDS,
        "closings": CLOSINGS,
        "documents": DOCUMENTS,
    }
    app.add_template_filter(paragraphs)
    app.add_template_filter(offered_first)
    app.add_template_filter(bdi)
    app.add_template_filter(isolated)
    app.add_template_filter(standard_time)
    app.add_template_filter(happened)


def paragraphs(text: str | None) -> Markup:
    """Return a text as paragraphs, escaped so that markup in it stays text."""
    parts = [part for part in (text or "").split("\n\n") if part.strip()]
    paragraph = Markup('<p dir="auto">{}</p>')
    return Markup().join(
        paragraph.format(Markup("<br>").join(escape(line) for line in part.split("\n"))) for part in parts
    )


def bdi(text: str | None) -> Markup:
    """Return a text or name for use in a sentence, isolated so that its direction does not affect the rest."""
    return Markup("<bdi>{}</bdi>").format(text) if text else Markup()


def happened(act: views.Act) -> str:
    """Return what an act besides the steps was; in the SOP's language where this version has no words for it."""
    if act["event"] == "report.added_to.v1":
        if not act["files"]:
            return gettext("Pelapor menambahkan keterangan")
        return ngettext("%(num)s berkas ditambahkan pelapor", "%(num)s berkas ditambahkan pelapor", act["files"])
    if act["event"] == "time.requested.v1":
        return ngettext(
            "perangkat daerah meminta tambahan %(num)s hari kerja",
            "perangkat daerah meminta tambahan %(num)s hari kerja",
            act.get("days", 0),
        )
    if act["event"] == "time.granted.v1":
        if not act.get("days"):
            return gettext("tambahan waktu tidak diberikan")
        return ngettext(
            "langkah 4 mendapat tambahan %(num)s hari kerja",
            "langkah 4 mendapat tambahan %(num)s hari kerja",
            act.get("days", 0),
        )
    return act["activity"]


def standard_time(number: int) -> str:
    """Return the standard time of step `number`."""
    return working_time(STANDARD[number])


def lists() -> views.Lists:
    """Return catalogue and roster; empty where they are not available, so that a page shows keys instead of names."""
    return backend().lists_if_any()


def topic(row: Mapping[str, Any], known: views.Lists) -> str:
    """Return the names of category and sub-category; their keys where an old report has one that was removed."""
    if "category" not in row:
        return ""
    category = known["categories"].get(row["category"])
    # The note that one was renamed or removed is written once, after both.
    sub = category["sub_categories"].get(row["sub_category"]) if category else None
    written = f"{category['name'] if category else row['category']}: {sub or row['sub_category']}"
    return written if sub or not known["categories"] else _not_listed(written)


def opd_name(key: str | None, known: views.Lists) -> str:
    """Return an agency's name; its key, with a note, where it has left the roster."""
    if not key:
        return ""
    return known["opds"].get(key) or (_not_listed(key) if known["opds"] else key)


def offered_first(opds: Mapping[str, str], first: str | None) -> dict[str, str]:
    """Return the roster with the agency `first`, where it has that, before all others."""
    return ({first: opds[first]} if first is not None and first in opds else {}) | dict(opds)


def _not_listed(what: str) -> str:
    return gettext("%(what)s (tidak ada lagi dalam daftar)", what=what)
