"""The desks: what waits at each, oldest due first; and the way to a complaint by its ticket."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from gateway.backend import backend
from gateway.site import session, words
from gateway.site.due import of_service, of_step
from gateway.site.forms import Form
from gateway.site.guard import new_pages
from gateway.site.session import needs
from nkk.sop import steps
from nkk.sop.steps import SERVICE_MINUTES, Role, Step
from nkk.sop.ticket import read_ticket

_ = lazy_gettext

PAGE_SIZE = 25
STAFF = (Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM)

pages = new_pages("desk")


@dataclass(frozen=True)
class Desk:
    """A desk: whose list it is, which stage keeps it, and what is said where nothing waits."""

    key: str
    stage: str
    role: Role
    name: Any
    work: Any
    empty: Any


DESKS = {desk.key: desk for desk in (
    Desk("serah-terima", "intake", Role.OPERATOR, _("Laporan masuk"),
         _("Langkah 2: terima laporan dan serahkan kepada Tim NKK Utama."),
         _("Tidak ada laporan yang menunggu diserahkan. Laporan baru muncul di sini dengan sendirinya.")),
    Desk("jawaban", "notification", Role.OPERATOR, _("Jawaban"),
         _("Langkah 6: tulis jawaban dan kirimkan kepada pelapor."),
         _("Tidak ada laporan yang menunggu jawaban. Laporan baru muncul di sini dengan sendirinya.")),
    Desk("tim-utama", "triage", Role.MAIN_TEAM, _("Meja Tim NKK Utama"),
         _("Langkah 3: klasifikasikan laporan. Langkah 5: periksa tanggapan perangkat daerah."),
         _("Tidak ada laporan yang menunggu keputusan Anda. Laporan baru muncul di sini dengan sendirinya.")),
    Desk("opd", "opd_response", Role.OPD_TEAM, _("Meja Tim NKK Pembantu"),
         _("Langkah 4: proses pengaduan dan tulis tanggapan."),
         _("Tidak ada pengaduan yang menunggu tanggapan Anda. Pengaduan baru muncul di sini dengan sendirinya.")),
)}


def own_desks(role: str) -> list[Desk]:
    """The desks of a role, in the order of the procedure."""
    return [desk for desk in DESKS.values() if desk.role == role]


@pages.get("/meja")
@needs(*STAFF)
def home() -> ResponseReturnValue:
    """The visitor's first desk."""
    return redirect(url_for(".worklist", key=own_desks(session.actor().role)[0].key), 303)


@pages.get("/meja/<key>")
@needs(*STAFF)
def worklist(key: str) -> str:
    """A desk's list."""
    return render_template("desk.html", **_list(key))


@pages.get("/meja/<key>/daftar")
@needs(*STAFF)
def refreshed(key: str) -> str:
    """The list alone, for a page that is open already."""
    return render_template("_worklist.html", **_list(key))


def _list(key: str) -> dict[str, Any]:
    desk = DESKS.get(key)
    if desk is None or desk.role != session.actor().role:
        abort(404)
    cursor = request.args.get("cursor")
    listing = backend().call(desk.stage, "worklist", cursor, PAGE_SIZE)
    known = words.lists()
    return {"desk": desk, "desks": own_desks(desk.role), "rows": [_row(row, desk, known) for row in listing["items"]],
            "cursor": cursor, "next": listing["next"]}


def _row(row: Mapping[str, Any], desk: Desk, known: Mapping[str, Any]) -> dict[str, Any]:
    row = dict(row)
    standard = _step(row, desk).minutes
    return row | {"title": row.get("subject_line") or gettext("Jawab laporan ini"), "topic": words.topic(row, known),
                  "opd_name": words.opd_name(row.get("opd"), known),
                  "due": of_step(row, standard), "service": of_service(row, SERVICE_MINUTES)}


def _step(row: Mapping[str, Any], desk: Desk) -> Step:
    """The step that `row` waits for."""
    if desk.stage == "triage":
        return steps.CLASSIFY if row["stands"]["state"] == "awaiting_classification" else steps.APPROVE
    return {"intake": steps.HAND_OVER, "opd_response": steps.RESPOND, "notification": steps.ANSWER}[desk.stage]


@pages.get("/cari")
@needs(Role.REPORTER, *STAFF)
def search() -> ResponseReturnValue:
    """To the complaint of a ticket, however it was typed."""
    typed = request.args.get("tiket", "")
    ticket = read_ticket(typed)
    if ticket is not None:
        return redirect(url_for("cases.read", ticket=ticket), 303)
    fault = gettext("Ini bukan nomor tiket. Bentuknya NKK-2026-XXXX-XXXX; periksa setiap huruf dan angkanya.")
    form = Form({"tiket": typed}, {"tiket": [fault]} if typed else {}, 422 if typed else 200)
    return render_template("search.html", form=form), form.status
