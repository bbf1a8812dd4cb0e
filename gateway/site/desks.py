"""The desks: what waits at each, oldest due first; and the way to a complaint by its ticket."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext

from gateway import complaints, live, schemas
from gateway.backend import backend
from gateway.errors import STREAMS_RETRY_AFTER_SECONDS
from gateway.site import colleagues, session, words
from gateway.site.clocks import of_service, of_step
from gateway.site.forms import Form, flat
from gateway.site.guard import new_pages
from gateway.site.session import needs
from nkk.sop import steps
from nkk.sop.refusals import InvalidInput
from nkk.sop.steps import SERVICE_MINUTES, Role, Step
from nkk.sop.ticket import has_part, read_part, read_ticket
from nkk.validation import load

_ = lazy_gettext

PAGE_SIZE = 25
STAFF = (Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM)

pages = new_pages("desk")


@dataclass(frozen=True)
class Desk:
    """A desk: whose list it is, which stage keeps it, what tells of changes to it, what is said where nothing waits."""

    key: str
    stage: str
    feed: str
    role: Role
    name: Any
    work: Any
    empty: Any


DESKS = {
    desk.key: desk
    for desk in (
        Desk(
            "serah-terima",
            "intake",
            "intake",
            Role.OPERATOR,
            _("Laporan masuk"),
            _("Langkah 2: terima laporan dan serahkan kepada Tim NKK Utama."),
            _("Tidak ada laporan yang menunggu diserahkan. Laporan baru muncul di sini dengan sendirinya."),
        ),
        Desk(
            "jawaban",
            "notification",
            "answers",
            Role.OPERATOR,
            _("Jawaban"),
            _("Langkah 6: tulis jawaban dan kirimkan kepada pelapor."),
            _("Tidak ada laporan yang menunggu jawaban. Laporan baru muncul di sini dengan sendirinya."),
        ),
        Desk(
            "tim-utama",
            "triage",
            "triage",
            Role.MAIN_TEAM,
            _("Meja Tim NKK Utama"),
            _("Langkah 3: klasifikasikan laporan. Langkah 5: periksa tanggapan perangkat daerah."),
            _("Tidak ada laporan yang menunggu keputusan Anda. Laporan baru muncul di sini dengan sendirinya."),
        ),
        Desk(
            "opd",
            "opd_response",
            "opd",
            Role.OPD_TEAM,
            _("Meja Tim NKK Pembantu"),
            _("Langkah 4: proses pengaduan dan tulis tanggapan."),
            _("Tidak ada pengaduan yang menunggu tanggapan Anda. Pengaduan baru muncul di sini dengan sendirinya."),
        ),
    )
}


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
def worklist(key: str) -> ResponseReturnValue:
    """A desk's list."""
    shown = _list(key)
    return render_template("desk.html", **shown, **_letters(shown["desk"])), shown["form"].status


@pages.get("/meja/<key>/daftar")
@needs(*STAFF)
def refreshed(key: str) -> str:
    """The list alone, for a page that is open already."""
    return render_template("_worklist.html", **_list(key))


@pages.get("/meja/<key>/perubahan")
@needs(*STAFF)
def changes(key: str) -> Response:
    """Told when the list changes, as server-sent events; 503 where no more pages can be."""
    try:
        return live.as_response(live.stream_for(_own_desk(key).feed, session.actor()))
    except live.TooManyStreamsError:
        return Response(status=503, headers={"Retry-After": str(STREAMS_RETRY_AFTER_SECONDS)})


def _own_desk(key: str) -> Desk:
    desk = DESKS.get(key)
    if desk is None or desk.role != session.actor().role:
        abort(404)
    return desk


def _list(key: str) -> dict[str, Any]:
    desk = _own_desk(key)
    form, wanted = _narrowing()
    cursor = request.args.get("cursor")
    listing = complaints.worklist(desk.stage, cursor, PAGE_SIZE, wanted)
    known = words.lists()
    names = colleagues.names((row.get("claim") or {}).get("by") for row in listing["items"])
    rows = [_row(row, desk, known) | {"claim": colleagues.claim(row.get("claim"), names)} for row in listing["items"]]
    return {
        "desk": desk,
        "desks": own_desks(desk.role),
        "rows": rows,
        "cursor": cursor,
        "next": listing["next"],
        "form": form,
        "categories": known["categories"],
        "kept": {name: form[name] for name, field in NARROWED_BY.items() if field in wanted},
    }


def _letters(desk: Desk) -> dict[str, Any]:
    """At the desk that writes to reporters: the complaints of whom no letter reaches, the first of them; and what
    letters wait, and why."""
    if desk.stage != "notification":
        return {}
    told = backend().call("notification", "undelivered", None, PAGE_SIZE)
    # Not told by a stage of an earlier version.
    waiting = told.get("waiting")
    return {
        "undelivered": list(dict.fromkeys(letter["ticket"] for letter in told["items"])),
        "waiting": waiting and waiting | {"why": words.why_waiting(waiting["why"])},
    }


NARROWED_BY = {"kategori": "category", "terlambat": "late", "cari": "q"}
"""What an address narrows a list by, and what a stage calls it."""


def _narrowing() -> tuple[Form, dict[str, Any]]:
    """What the list is narrowed by, as typed and as asked of the stage. What cannot be asked is said and left out."""
    form = Form({name: typed for name in NARROWED_BY if (typed := request.args.get(name, "").strip())})
    asked = {NARROWED_BY[name]: typed for name, typed in form.values.items()}
    if "late" in asked:
        asked["late"] = "true"
    try:
        return form, load(schemas.Worklist, asked)["wanted"]
    except InvalidInput as refusal:
        named = refusal.details["fields"]
        form.faults = {name: flat(named)[field] for name, field in NARROWED_BY.items() if field in named}
        form.status = 422
        rest = {field: typed for field, typed in asked.items() if field not in named}
        return form, load(schemas.Worklist, rest)["wanted"]


def _row(row: Mapping[str, Any], desk: Desk, known: Mapping[str, Any]) -> dict[str, Any]:
    row = dict(row)
    standard = _step(row, desk).minutes
    return row | {
        "title": row.get("subject_line") or gettext("Jawab laporan ini"),
        "topic": words.topic(row, known),
        "opd_name": words.opd_name(row.get("opd"), known),
        "due": of_step(row, standard),
        "service": of_service(row, SERVICE_MINUTES),
    }


def _step(row: Mapping[str, Any], desk: Desk) -> Step:
    """The step that `row` waits for."""
    if desk.stage == "triage":
        return steps.CLASSIFY if row["stands"]["state"] == "awaiting_classification" else steps.APPROVE
    return {"intake": steps.HAND_OVER, "opd_response": steps.RESPOND, "notification": steps.ANSWER}[desk.stage]


@pages.get("/cari")
@needs(Role.REPORTER, *STAFF)
def search() -> ResponseReturnValue:
    """To the complaint of a ticket, however it was typed; for staff also by a part of it, among what waits for them."""
    typed = request.args.get("tiket", "")
    ticket = read_ticket(typed)
    found = [ticket] if ticket else _waiting_with(read_part(typed))
    if len(found) == 1:
        return redirect(url_for("cases.read", ticket=found[0]), 303)
    fault = gettext("Ini bukan nomor tiket. Bentuknya NKK-2026-XXXX-XXXX; periksa setiap huruf dan angkanya.")
    if read_part(typed) and session.actor().role != Role.REPORTER:
        fault = gettext(
            "Tidak ada laporan di meja Anda dengan bagian nomor itu. Laporan yang tidak menunggu Anda "
            "dicari dengan nomor lengkapnya, seperti NKK-2026-XXXX-XXXX."
        )
    form = Form({"tiket": typed})
    if typed and not found:
        form.faults, form.status = {"tiket": [fault]}, 422
    return render_template("search.html", form=form, found=found), form.status


def _waiting_with(part: str | None) -> list[str]:
    """The tickets at the visitor's desks that `part` is a part of: the first of each desk."""
    rows = [
        row
        for desk in own_desks(session.actor().role)
        if part
        for row in backend().call(desk.stage, "worklist", None, PAGE_SIZE, {"q": part})["items"]
    ]
    return list(dict.fromkeys(row["ticket"] for row in rows if part and has_part(row["ticket"], part)))
