"""Public pages: the start page, registration, log-in and log-out, choice of language."""

import json
from contextlib import suppress
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from gateway import methods, schemas
from gateway.addresses import within_site
from gateway.backend import backend
from gateway.devices import by_device
from gateway.limits import limit
from gateway.site import forms, language, session
from gateway.site.forms import Form
from gateway.site.guard import new_pages
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.sop.refusals import NotAuthenticated
from nkk.sop.steps import PATHS, SERVICE_MINUTES, STEPS, Path, Role
from nkk.sop.text import is_text

HOMES = {
    Role.REPORTER: "reporter.own",
    Role.OPERATOR: "desk.home",
    Role.MAIN_TEAM: "desk.home",
    Role.OPD_TEAM: "desk.home",
    Role.ADMIN: "office.staff",
}

pages = new_pages("public")


@pages.get("/")
def start() -> str:
    """Show what the service is, its steps and times, and how it protects identities."""
    return render_template(
        "start.html", steps=STEPS, information=PATHS[Path.INFORMATION], promised=SERVICE_MINUTES, figures=_figures()
    )


def _figures() -> dict[str, Any] | None:
    """Return the public figures of the last twelve months; None where notification does not answer."""
    try:
        known = backend().figures()
    except (RefusedRemotelyError, StageUnavailableError, StageFailedError):
        return None
    return known["last_12_months"] | {"as_of": known["as_of"]}


@pages.get("/bahasa/<code>")
def speak(code: str) -> ResponseReturnValue:
    """Choose a language, and return to the same page."""
    response = redirect(within_site(request.args.get("ke")), 303)
    if code in language.LANGUAGES and methods.takes_effect():
        response.set_cookie(
            language.COOKIE,
            code,
            max_age=language.A_YEAR,
            path="/",
            secure=request.is_secure,
            httponly=True,
            samesite="Lax",
        )
    return response


@pages.route("/daftar", methods=["GET", "POST"])
@limit("REGISTRATION", exempt_when=forms.idle)
def register() -> ResponseReturnValue:
    """Register as a reporter, log in at once, and go on to the page that needed it."""
    onward = _onward()
    if request.method == "GET":
        visitor = session.known_actor()
        if visitor is not None:
            return redirect(onward or url_for(HOMES[Role(visitor.role)]), 303)
        return _register_page(Form({"kind": "public"}), onward)
    return forms.attempt(
        schemas.Registration, lambda form: _register(form, onward), lambda form: _register_page(form, onward)
    )


def _onward() -> str:
    """Return the page that the visitor was about to open before they registered or logged in; empty for none."""
    return within_site(request.values.get("ke"), "")


def _register_page(form: Form, onward: str) -> str:
    return render_template("register.html", form=form, onward=onward, again=url_for(".register", ke=onward or None))


def _register(account: dict[str, Any], onward: str) -> ResponseReturnValue:
    backend().tell_intake("register", account)
    if _enter(account):
        flash(gettext("Pendaftaran berhasil. Anda sudah masuk dan dapat menulis laporan."))
        return redirect(onward or url_for("reporter.write"), 303)
    flash(gettext("Pendaftaran berhasil. Silakan masuk."))
    return redirect(url_for(".log_in", ke=onward or None), 303)


@pages.route("/akun/kode", methods=["GET", "POST"])
@limit("REGISTRATION", of="from-code", exempt_when=forms.idle)
def open_by_code() -> ResponseReturnValue:
    """Choose a user name and a password by the access code that another website showed, and log in at once."""

    def act(form: dict[str, Any]) -> ResponseReturnValue:
        backend().tell_intake("open_account", form)
        if _enter(form):
            flash(gettext("Akun Anda sudah dibuat. Laporan Anda ada di bawah ini."))
            return redirect(url_for("reporter.own"), 303)
        flash(gettext("Akun Anda sudah dibuat. Silakan masuk."))
        return redirect(url_for(".log_in"), 303)

    def show(form: Form) -> str:
        return render_template("access_code.html", form=form)

    return forms.answer(schemas.CodeRegistration, act, show)


def _enter(account: dict[str, Any]) -> bool:
    try:
        session.log_in(account)
    except (RefusedRemotelyError, StageUnavailableError, StageFailedError):
        return False
    return True


@pages.route("/masuk", methods=["GET", "POST"])
@limit("LOGIN", by_device(session.presented, each=("staff",)), exempt_when=forms.idle)
def log_in() -> ResponseReturnValue:
    """Log in as a reporter or as staff, and return to the previous page with what was typed there."""
    onward = _onward()
    if request.method == "GET":
        visitor = session.known_actor()
        if visitor is not None:
            return redirect(onward or url_for(HOMES[Role(visitor.role)]), 303)
        return _log_in_page(Form(), onward, expired=bool(onward))
    try:
        return forms.attempt(
            schemas.Credentials, lambda form: _log_in(form, onward), lambda form: _log_in_page(form, onward)
        )
    except (NotAuthenticated, RefusedRemotelyError) as refusal:
        if getattr(refusal, "name", "NotAuthenticated") != "NotAuthenticated":
            raise
        return make_response(_log_in_page(Form(forms.typed(), status=401), onward), 401)


def _log_in_page(form: Form, onward: str, expired: bool = False) -> str:
    return render_template(
        "log_in.html",
        form=form,
        onward=onward,
        again=url_for(".log_in", ke=onward or None),
        expired=expired,
        carried=request.form.get("carried"),
    )


def _log_in(form: dict[str, Any], onward: str) -> ResponseReturnValue:
    session.log_in(form)
    if session.actor().role not in HOMES:
        _end_session()
        session.leave()
        return _log_in_page(Form(forms.typed(), status=403), onward), 403
    left = _carried()
    if left and onward:
        return render_template("welcome_back.html", onward=onward, left=left)
    return redirect(onward or url_for(HOMES[Role(session.actor().role)]), 303)


def _carried() -> dict[str, str]:
    """Return what was typed into the page whose log-in had ended; the log-in form carries it."""
    try:
        left = json.loads(request.form.get("carried") or "{}")
    except (ValueError, RecursionError):
        return {}
    texts = left.items() if isinstance(left, dict) else ()
    return {name: value for name, value in texts if isinstance(value, str) and is_text(name + value)}


@pages.post("/keluar")
def log_out() -> ResponseReturnValue:
    """Log out: the session ends at once, and this browser's drafts are deleted."""
    if session.known_actor() is not None:
        _end_session()
    session.leave()
    return redirect(url_for(".logged_out"), 303)


def _end_session() -> None:
    # This browser drops the log-in even where intake does not answer; the session then ends within twelve hours.
    with suppress(RefusedRemotelyError, StageUnavailableError, StageFailedError):
        backend().call("intake", "log_out")


@pages.get("/sampai-jumpa")
def logged_out() -> str:
    """Show the page after a log-out, on which the browser deletes its drafts."""
    return render_template("logged_out.html")
