"""The page of one complaint: for its reporter, and for each desk with the acts of steps 2 to 6."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import Schema

from gateway import complaints, desks, questions, schemas
from gateway.errors import RETRY_AFTER_SECONDS
from gateway.journeys import BeingPrepared
from gateway.site import acts, colleagues, forms, journey, session, uploading, words
from gateway.site.due import Due, of_service, of_step
from gateway.site.forms import Form
from gateway.site.guard import new_pages
from gateway.site.session import needs
from nkk.contracts import views
from nkk.log import get_logger
from nkk.messaging.calls import StageFailedError, StageUnavailableError
from nkk.sop import steps
from nkk.sop.acts import Act
from nkk.sop.endings import ENDED
from nkk.sop.files import round_of
from nkk.sop.steps import SERVICE_MINUTES, Role, Step
from nkk.sop.text import isolated

ACTS = (
    "terima",
    "serahkan",
    "klasifikasi",
    "tanggapan",
    "persetujuan",
    "jawaban",
    "kerjakan",
    "lepaskan",
    "identitas",
)

CHOSEN = "kirim-"
"""The prefix of the fields that choose a file of the response for the reporter."""

pages = new_pages("cases")

log = get_logger()


@pages.get("/laporan/<ticket>")
@needs(Role.REPORTER, Role.OPERATOR, Role.MAIN_TEAM, Role.OPD_TEAM)
def read(ticket: str) -> ResponseReturnValue:
    """Show a complaint with what the visitor's role may see. For its reporter, this counts as receiving the answer.

    Where notification does not answer, the reporter sees at least that the complaint is stored.
    """
    try:
        return _page(complaints.known(ticket), Form())
    except (StageUnavailableError, StageFailedError) as error:
        if session.actor().role != Role.REPORTER:
            raise
        log.warning("stage unavailable", stage=str(error))
        return _kept_page(complaints.known(ticket)), 503, {"Retry-After": str(RETRY_AFTER_SECONDS)}


def _kept_page(ticket: str) -> str:
    case, known = complaints.kept(ticket), words.lists()
    return render_template(
        "reporter_kept.html",
        case=case,
        topic=words.topic(case, known),
        accused_opd=words.opd_name(case.get("accused_opd"), known),
    )


@pages.get(f"/laporan/<ticket>/<any({', '.join(ACTS)}):act>")
def back(ticket: str, act: str) -> ResponseReturnValue:
    """Redirect to the complaint where an act's address is opened by GET, for example after a log-in."""
    return redirect(url_for(".read", ticket=ticket), 303)


@pages.post("/laporan/<ticket>/serahkan")
@needs(Role.OPERATOR)
def hand_over(ticket: str) -> ResponseReturnValue:
    """Hand a report over to the main team (step 2)."""
    complaints.hand_over(ticket)
    return _done(ticket, gettext("Laporan %(ticket)s diserahkan kepada Tim NKK Utama."))


@pages.post("/laporan/<ticket>/klasifikasi")
@needs(Role.MAIN_TEAM)
def classify(ticket: str) -> ResponseReturnValue:
    """Classify a report (step 3)."""

    def act(form: dict[str, Any]) -> ResponseReturnValue:
        complaints.classify(ticket, form)
        number, opd = complaints.known(ticket), words.opd_name(form.get("opd"), words.lists())
        said = (
            gettext(
                "Laporan %(ticket)s diklasifikasi sebagai pengaduan dan diteruskan kepada %(opd)s.",
                ticket=number,
                opd=isolated(opd),
            )
            if opd
            else gettext("Laporan %(ticket)s diklasifikasi sebagai informasi; operator menjawabnya.", ticket=number)
        )
        return _done(ticket, said.replace("%", "%%"))

    return _attempt(ticket, schemas.Classification, act, _read_classification)


@pages.post("/laporan/<ticket>/tanggapan")
@needs(Role.OPD_TEAM)
@uploading.takes_files
def respond(ticket: str) -> ResponseReturnValue:
    """Send the OPD's response (step 4)."""

    def act(form: dict[str, Any]) -> ResponseReturnValue:
        complaints.respond(ticket, form)
        return _done(ticket, gettext("Tanggapan atas %(ticket)s dikirim kepada Tim NKK Utama."))

    return _attempt(ticket, schemas.Response, act, _read_response)


@pages.post("/laporan/<ticket>/persetujuan")
@needs(Role.MAIN_TEAM)
def approve(ticket: str) -> ResponseReturnValue:
    """Approve a response or return it (step 5)."""

    def act(form: dict[str, Any]) -> ResponseReturnValue:
        complaints.approve(ticket, form)
        return _done(
            ticket,
            gettext("Tanggapan atas %(ticket)s diteruskan kepada operator.")
            if form["approved"]
            else gettext("Tanggapan atas %(ticket)s dikembalikan kepada perangkat daerah."),
        )

    return _attempt(ticket, schemas.Approval, act, _read_approval)


@pages.post("/laporan/<ticket>/jawaban")
@needs(Role.OPERATOR)
def answer(ticket: str) -> ResponseReturnValue:
    """Send the answer (step 6)."""

    def act(form: dict[str, Any]) -> ResponseReturnValue:
        complaints.answer(ticket, form)
        return _done(ticket, gettext("Jawaban atas %(ticket)s dikirim kepada pelapor."), desk="jawaban")

    return _attempt(ticket, schemas.AnswerText, act, _read_answer)


@pages.post("/laporan/<ticket>/identitas")
@needs(Role.OPERATOR)
def identity(ticket: str) -> str:
    """Show the reporter's identity on this response only. To see it again is another call, which is recorded again."""
    ticket = complaints.known(ticket)
    return _page(ticket, Form(), complaints.identity(ticket))


@pages.post("/laporan/<ticket>/kerjakan")
@needs(*desks.STAFF)
def claim(ticket: str) -> ResponseReturnValue:
    """Claim a complaint, visibly for the colleagues at the desk."""
    desks.claim(complaints.known(ticket), "ambil_alih" in request.form)
    return _claimed(ticket, gettext("Rekan Anda kini melihat bahwa Anda yang mengerjakan laporan ini."))


@pages.post("/laporan/<ticket>/lepaskan")
@needs(*desks.STAFF)
def release(ticket: str) -> ResponseReturnValue:
    """Release the visitor's claim."""
    desks.release(complaints.known(ticket))
    return _claimed(ticket, gettext("Laporan ini Anda lepaskan."))


def _claimed(ticket: str, said: str) -> ResponseReturnValue:
    flash(said, "done")
    return redirect(url_for(".read", ticket=complaints.known(ticket)), 303)


def _attempt(
    ticket: str,
    schema: type[Schema],
    act: Callable[[dict[str, Any]], ResponseReturnValue],
    read: forms.Read | None = None,
) -> ResponseReturnValue:
    return forms.attempt(schema, act, lambda form: _page(complaints.known(ticket), form), read)


def _done(ticket: str, said: str, desk: str | None = None) -> ResponseReturnValue:
    """Redirect to the list, where the next complaint waits."""
    ticket = complaints.known(ticket)
    flash(said % {"ticket": ticket}, "done")
    flash(draft_name(ticket), "draft")
    return redirect(url_for("desk.worklist", key=desk) if desk else url_for("desk.home"), 303)


def draft_name(ticket: str) -> str:
    """Return the name under which a browser keeps the draft on a complaint."""
    return f"kerja-{ticket}"


def _read_classification(values: Mapping[str, str]) -> dict[str, Any]:
    """Read the form, and drop an OPD picked before switching to "information"."""
    form = forms.filled_in(schemas.Classification, values)
    if form.get("kind") == steps.Path.INFORMATION:
        form.pop("opd", None)
    return form


def _read_response(values: Mapping[str, str]) -> dict[str, Any]:
    form, found = forms.filled_in(schemas.Response, values), uploading.ids()
    return form | ({"files": found} if found else {})


def _read_answer(values: Mapping[str, str]) -> dict[str, Any]:
    """Read the form, with the numbers of the files that are ticked."""
    form = forms.filled_in(schemas.AnswerText, values)
    numbers = [name.removeprefix(CHOSEN) for name in values if name.startswith(CHOSEN)]
    return form | ({"files": numbers} if numbers else {})


def _read_approval(values: Mapping[str, str]) -> dict[str, Any]:
    """Read the form, with `approved` from the button that was pressed."""
    form = forms.filled_in(schemas.Approval, values)
    return form | {"approved": {"yes": True, "no": False}.get(values.get("approved", ""))}


def _page(ticket: str, form: Form, reporter: Mapping[str, Any] | None = None) -> str:
    role = Role(session.actor().role)
    case = complaints.view(ticket)
    known = words.lists()
    step = _turn(role, case)
    clock: Any = case["answer"] if step is steps.ANSWER else case
    timeline, asked = _followed(role, ticket, case.get("confidential"))
    claimed = case.get("claim") if role in desks.STAFF else None
    entries = timeline["entries"] if timeline else []
    seen = (*entries, *case.get("notes", ()))
    accounts = (each.get(which) for each in seen for which in ("by", "recused"))
    names = colleagues.names([claimed["by"] if claimed else None, *accounts])
    return render_template(
        "reporter_case.html" if role == Role.REPORTER else "case.html",
        form=form,
        case=case,
        lists=known,
        step=step,
        topic=words.topic(case, known),
        accused_opd=words.opd_name(case.get("accused_opd"), known),
        opd=words.opd_name(case.get("opd"), known),
        better_opd=words.opd_name(case.get("better_opd"), known),
        acts=acts.possible(case),
        questions=asked or [],
        away=asked is None,
        ratings=acts.RATINGS,
        attachments=_attachments(case),
        draft=draft_name(ticket),
        # The main team learns it from the timeline, the operator from the report; an OPD's team does not.
        channel=case.get("channel") or (timeline or {}).get("channel"),
        timeline=timeline,
        names=names,
        reporter=reporter,
        claim=colleagues.claim(claimed, names),
        due=of_step(clock, step.minutes) if step else None,
        service=_service(case),
    )


def _attachments(case: views.Complaint) -> dict[str, list[Any]]:
    """Return the files of the responses that count `now`, and those of responses that were returned `before`."""
    gathered: Any = case.get("gathered") or ()
    counted = {case.get("round"), *(each["round"] for each in gathered)}
    found: dict[str, list[Any]] = {"now": [], "before": []}
    for file in case.get("response_files") or ():
        found["now" if round_of(file["number"]) in counted else "before"].append(file)
    return found


def _turn(role: Role, case: views.Complaint) -> Step | None:
    """Return the step of this complaint that waits for `role`; None where there is none."""
    state = case["stands"]["state"]
    if role == Role.OPERATOR:
        if state in ENDED:
            return None
        if not case.get("handed_over_at"):
            return steps.HAND_OVER
        answered = case.get("answer")
        return (
            steps.ANSWER
            if answered and not answered.get("sent_at") and Act.ANSWER in case.get("acts", (Act.ANSWER,))
            else None
        )
    if role == Role.MAIN_TEAM:
        return {"awaiting_classification": steps.CLASSIFY, "awaiting_approval": steps.APPROVE}.get(state)
    if role == Role.OPD_TEAM:
        return steps.RESPOND if state == "awaiting_response" else None
    return steps.RECEIVE if case.get("answer") else None


def _service(case: views.Complaint) -> Due | None:
    finished = case["stands"]["state"] in ("closed", "receive", *ENDED)
    return None if finished else of_service(case, SERVICE_MINUTES)


def _followed(
    role: Role, ticket: str, confidential: bool | None
) -> tuple[dict[str, Any] | None, list[views.Question] | None]:
    """Return the timeline and the questions; None and None for the staff while notification is unavailable.

    Their desk does not need them to go on. For a reporter they are the page.
    """
    try:
        return _timeline(ticket, confidential), questions.of(ticket)
    except StageUnavailableError:
        if role == Role.REPORTER:
            raise
        return None, None


def _timeline(ticket: str, confidential: bool | None) -> dict[str, Any] | None:
    """Return the timeline with its seven steps; None where notification does not have it yet."""
    try:
        timeline = complaints.timeline(ticket, confidential)
    except BeingPrepared:
        return None
    known = words.lists()
    entries = [
        {**entry, "opd_name": words.opd_name(entry.get("opd"), known), "self": entry.get("by") == g.actor.id}
        for entry in timeline["entries"]
    ]
    beside = [{**act, "opd_name": words.opd_name(act.get("opd"), known)} for act in timeline.get("beside", ())]
    shown: Any = {**timeline, "entries": entries, "beside": beside}
    return {
        **shown,
        "stops": journey.stops(shown),
        "others": journey.others(shown),
        "first_cycle": journey.first_cycle(shown),
    }
