"""The desks' pages: each worklist, sorted by due time, and the search for a complaint by its ticket."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as AnyResponse

from gateway import complaints, live, schemas, several
from gateway.backend import backend
from gateway.clock import now
from gateway.desks import ANSWERS, INTAKE, OPD, STAFF, TRIAGE, Desk, of_role
from gateway.errors import STREAMS_RETRY_AFTER_SECONDS
from gateway.site import colleagues, faults, session, words
from gateway.site.due import of_service, of_step
from gateway.site.forms import Form, flat
from gateway.site.guard import new_pages
from gateway.site.language import A_YEAR, passed
from gateway.site.session import needs
from nkk.contracts import views
from nkk.sop import steps
from nkk.sop.refusals import InvalidInput
from nkk.sop.steps import SERVICE_MINUTES, Role, Step
from nkk.sop.ticket import has_part, read_part, read_ticket
from nkk.validation import load

_ = lazy_gettext

PAGE_SIZE = 25
COMPACT_SIZE = schemas.MOST_TICKETS
"""The cases on a page of the compact list, all of which can be chosen at once."""

COOKIE, COMPACT = "nkk_list", "ringkas"
"""The cookie with the browser's choice of list, and its value for the compact one."""

pages = new_pages("desk")


@dataclass(frozen=True)
class DeskPage:
    """A desk as a page: the last part of its address, its name, its work, and the text for an empty list."""

    desk: Desk
    key: str
    name: Any
    work: Any
    empty: Any

    @property
    def stage(self) -> str:
        """The stage that keeps the desk's worklist."""
        return self.desk.stage


PAGES = (
    DeskPage(
        INTAKE,
        "serah-terima",
        _("Laporan masuk"),
        _("Langkah 2: terima laporan dan serahkan kepada Tim NKK Utama."),
        _("Tidak ada laporan yang menunggu diserahkan. Laporan baru muncul di sini dengan sendirinya."),
    ),
    DeskPage(
        ANSWERS,
        "jawaban",
        _("Jawaban"),
        _("Langkah 6: tulis jawaban dan kirimkan kepada pelapor."),
        _("Tidak ada laporan yang menunggu jawaban. Laporan baru muncul di sini dengan sendirinya."),
    ),
    DeskPage(
        TRIAGE,
        "tim-utama",
        _("Meja Tim NKK Utama"),
        _("Langkah 3: klasifikasikan laporan. Langkah 5: periksa tanggapan perangkat daerah."),
        _("Tidak ada laporan yang menunggu keputusan Anda. Laporan baru muncul di sini dengan sendirinya."),
    ),
    DeskPage(
        OPD,
        "opd",
        _("Meja Tim NKK Pembantu"),
        _("Langkah 4: proses pengaduan dan tulis tanggapan."),
        _("Tidak ada pengaduan yang menunggu tanggapan Anda. Pengaduan baru muncul di sini dengan sendirinya."),
    ),
)


def own_pages(role: str) -> list[DeskPage]:
    """Return the pages of a role's desks, in the order of the procedure."""
    return [page for page in PAGES if page.desk.role == role]


@pages.get("/meja")
@needs(*STAFF)
def home() -> ResponseReturnValue:
    """Redirect to the visitor's first desk."""
    return redirect(url_for(".worklist", key=own_pages(session.actor().role)[0].key), 303)


@pages.get("/meja/<key>")
@needs(*STAFF)
def worklist(key: str) -> ResponseReturnValue:
    """Show a desk's list."""
    shown = _list(key)
    return render_template("desk.html", **shown, **_letters(shown["desk"].desk)), shown["form"].status


@pages.get("/meja/<key>/daftar")
@needs(*STAFF)
def refreshed(key: str) -> str:
    """Return the list alone, for a page that is already open."""
    return render_template("_worklist.html", **_list(key))


@pages.get("/meja/<key>/perubahan")
@needs(*STAFF)
def changes(key: str) -> Response:
    """Stream the list's changes as server-sent events; 503 where no stream is free."""
    try:
        return live.as_response(live.stream_for(_own_page(key).desk, session.actor()))
    except live.TooManyStreamsError:
        return Response(status=503, headers={"Retry-After": str(STREAMS_RETRY_AFTER_SECONDS)})


@pages.post("/meja/<key>/tampilan")
@needs(*STAFF)
def choose_list(key: str) -> ResponseReturnValue:
    """Choose the compact list or the whole one, for this browser."""
    response = _back_to(_own_page(key))
    if request.form.get("tampilan") == COMPACT:
        response.set_cookie(
            COOKIE, COMPACT, max_age=A_YEAR, path="/meja", secure=request.is_secure, httponly=True, samesite="Lax"
        )
    else:
        response.delete_cookie(COOKIE, path="/meja", secure=request.is_secure, httponly=True, samesite="Lax")
    return response


@pages.post("/meja/<key>/klaim")
@needs(*STAFF)
def claim_several(key: str) -> ResponseReturnValue:
    """Claim the chosen cases, and say of each what became of it."""
    page = _own_page(key)
    return _told(page, several.claim(_chosen()), _("Kini Anda kerjakan"), _("Tidak Anda ambil"))


@pages.post("/meja/<key>/serahkan")
@needs(Role.OPERATOR)
def hand_over_several(key: str) -> ResponseReturnValue:
    """Hand the chosen reports over to the main team (step 2), and say of each what became of it."""
    page = _own_page(key)
    if page.desk is not INTAKE:
        abort(404)
    return _told(page, several.hand_over(_chosen()), _("Diserahkan kepada Tim NKK Utama"), _("Tidak diserahkan"))


@pages.get("/meja/<key>/<any(tampilan, klaim, serahkan):act>")
@needs(*STAFF)
def back(key: str, act: str) -> ResponseReturnValue:
    """Redirect to the list where an act's address is opened by GET, for example after a log-in."""
    return _back_to(_own_page(key))


def _chosen() -> list[str]:
    """Return the tickets that were chosen in the list. Raises InvalidInput for more than a list shows."""
    tickets = request.form.getlist("tiket")
    return load(schemas.Tickets, {"tickets": tickets})["tickets"] if tickets else []


def _told(page: DeskPage, results: list[several.Result], said: Any, undone: Any) -> ResponseReturnValue:
    """Redirect to the same part of the list, with what became of each case; cases of the same result together."""
    became: dict[tuple[str, str], list[str]] = {}
    for result in results:
        title = said if result.failed is None else f"{undone}. {faults.title_of(result.failed)}"
        became.setdefault(("done" if result.failed is None else "info", str(title)), []).append(result.ticket)
    for (category, title), tickets in sorted(became.items()):
        flash(f"{title}: {', '.join(tickets)}.", category)
    if not results:
        flash(gettext("Tidak ada laporan yang dipilih. Beri tanda pada laporannya dulu."), "info")
    return _back_to(page)


def _back_to(page: DeskPage) -> AnyResponse:
    narrowed: dict[str, Any] = {name: request.args[name] for name in (*NARROWED_BY, "cursor") if request.args.get(name)}
    return redirect(url_for(".worklist", key=page.key, **narrowed), 303)


def _is_compact() -> bool:
    return request.cookies.get(COOKIE) == COMPACT


def _own_page(key: str) -> DeskPage:
    page = next((page for page in own_pages(session.actor().role) if page.key == key), None)
    return page or abort(404)


def _list(key: str) -> dict[str, Any]:
    page = _own_page(key)
    form, wanted = _narrowing()
    cursor = request.args.get("cursor")
    compact = _is_compact()
    listing = complaints.worklist(page.desk, cursor, COMPACT_SIZE if compact else PAGE_SIZE, wanted)
    known = words.lists()
    names = colleagues.names(claim["by"] for row in listing["items"] if (claim := row.get("claim")))
    rows = [
        _row(row, page.desk, known) | {"claim": colleagues.claim(row.get("claim"), names)} for row in listing["items"]
    ]
    return {
        "desk": page,
        "compact": compact,
        "hands_over": page.desk is INTAKE,
        "desks": own_pages(page.desk.role),
        "rows": rows,
        "cursor": cursor,
        "next": listing["next"],
        "form": form,
        "categories": known["categories"],
        "kept": {name: form[name] for name, field in NARROWED_BY.items() if field in wanted},
    }


def _letters(desk: Desk) -> dict[str, Any]:
    """Return the first complaints with undelivered letters, and what letters wait and why, for the answers' desk."""
    if desk is not ANSWERS:
        return {}
    told = backend().call("notification", "undelivered", None, PAGE_SIZE)
    # A stage of an earlier version does not send it.
    waiting = told.get("waiting")
    return {
        "undelivered": _tickets(letter for letter in told["items"] if not letter.get("to_print")),
        "to_print": _tickets(letter for letter in told["items"] if letter.get("to_print")),
        "waiting": waiting and waiting | {"why": words.why_waiting(waiting["why"])},
    }


def _tickets(letters: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(letter["ticket"] for letter in letters))


NARROWED_BY = {"kategori": "category", "terlambat": "late", "cari": "q", "dikerjakan": "waits", "urut": "sort"}
"""The parameters that filter and sort a list, with the stage's names for them."""

MEANT = {
    "terlambat": {"ya": "true"},
    "dikerjakan": {"saya": "me", "rekan": "colleagues", "belum": "nobody", "pelapor": "reporter"},
    "urut": {"batas": "due", "terbaru": "newest", "kategori": "category"},
}
"""What the values of parameters mean to the stage."""


def _narrowing() -> tuple[Form, dict[str, Any]]:
    """Return the list's filter, as typed and as sent to the stage. Invalid values are reported and left out."""
    form = Form({name: typed for name in NARROWED_BY if (typed := request.args.get(name, "").strip())})
    asked = {NARROWED_BY[name]: MEANT.get(name, {}).get(typed, typed) for name, typed in form.values.items()}
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


def _row(row: views.Row, desk: Desk, known: views.Lists) -> dict[str, Any]:
    standard = _step(row, desk).minutes
    # A request for time came after the step that the triage stage knows of.
    came_at = None if row.get("asked_days") else row.get("came_at")
    starts_later = came_at is not None and not passed(came_at, now())
    return {
        **row,
        "came_at": None if starts_later else came_at,
        "starts_at": came_at if starts_later else None,
        "title": row.get("subject_line") or gettext("Jawab laporan ini"),
        "topic": words.topic(row, known),
        "opd_name": words.opd_name(row.get("opd"), known),
        "due": of_step(row, standard),
        "service": of_service(row, SERVICE_MINUTES),
    }


def _step(row: views.Row, desk: Desk) -> Step:
    """Return the step that `row` waits for."""
    if desk is TRIAGE:
        return steps.CLASSIFY if row["stands"]["state"] == "awaiting_classification" else steps.APPROVE
    return {INTAKE: steps.HAND_OVER, OPD: steps.RESPOND, ANSWERS: steps.ANSWER}[desk]


@pages.get("/cari")
@needs(Role.REPORTER, *STAFF)
def search() -> ResponseReturnValue:
    """Redirect to the complaint of a ticket, in any notation; staff also find those at their desks by a part of it."""
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
    """Return the tickets at the visitor's desks that contain `part`, of the first page of each desk."""
    rows = [
        row
        for desk in of_role(session.actor().role)
        if part
        for row in backend().call(desk.stage, "worklist", None, PAGE_SIZE, {"q": part})["items"]
    ]
    return list(dict.fromkeys(row["ticket"] for row in rows if part and has_part(row["ticket"], part)))
