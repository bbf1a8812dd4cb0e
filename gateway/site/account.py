"""The pages of the visitor's own account: change or reset of the password, change of contact."""

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from gateway import schemas
from gateway.backend import backend
from gateway.devices import by_device
from gateway.limits import by_account_of_staff, limit
from gateway.site import forms, session
from gateway.site.field_faults import sentence
from gateway.site.forms import Form
from gateway.site.guard import new_pages
from gateway.site.session import needs
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.sop import faults
from nkk.sop.refusals import InvalidInput
from nkk.sop.steps import Role
from nkk.validation import load

pages = new_pages("account")


@pages.route("/lupa-sandi", methods=["GET", "POST"])
@limit("RESET", by_device(session.presented), exempt_when=forms.idle)
def forgotten() -> ResponseReturnValue:
    """Request a letter with a code, by user name or address. The answer does not show whether there is an account."""

    def act(form: dict[str, Any]) -> ResponseReturnValue:
        backend().tell_intake("request_reset", form)
        flash(
            gettext(
                "Bila nama pengguna atau alamat surel itu milik seorang pelapor, surat berisi nama pengguna dan "
                "kode sedang dikirim ke alamat surel yang didaftarkan. Surat itu dapat memerlukan beberapa "
                "menit."
            )
        )
        return redirect(url_for(".reset"), 303)

    def show(form: Form) -> str:
        return render_template("password_forgotten.html", form=form)

    return forms.answer(schemas.ResetRequest, act, show, _read_request)


def _read_request(values: Mapping[str, str]) -> dict[str, Any]:
    """Read the one field as address or user name, since no user name has an @. Faults are reported on that field."""
    form = forms.filled_in(schemas.ResetRequest, values)
    if "@" not in form.get("username", ""):
        return form
    try:
        return load(schemas.ResetRequest, {"email": form["username"].strip()})
    except InvalidInput as fault:
        raise InvalidInput({"fields": {"username": fault.details["fields"]["email"]}}) from None


@pages.route("/atur-ulang-sandi", methods=["GET", "POST"])
@limit("LOGIN", of="completion", exempt_when=forms.idle)
def reset() -> ResponseReturnValue:
    """Set a new password with the code from the letter. Its link has the code after the #, for a script to read."""

    def act(form: dict[str, Any]) -> ResponseReturnValue:
        backend().tell_intake("complete_reset", form)
        # All sessions of the account have ended; a browser logged in to another account is logged out too.
        session.leave()
        flash(gettext("Kata sandi Anda sudah diganti. Silakan masuk dengan kata sandi yang baru."))
        return redirect(url_for("public.log_in"), 303)

    def show(form: Form) -> str:
        return render_template("password_reset.html", form=form)

    try:
        return forms.answer(schemas.ResetCompletion, act, show)
    except RefusedRemotelyError as refusal:
        if refusal.name != "ResetExpired":
            raise
        return show(Form(forms.typed(), {"token": [sentence(faults.CODE_EXPIRED())]}, 422)), 422


@pages.route("/akun", methods=["GET", "POST"])
@needs()
@limit("LOGIN", by_account_of_staff, of="password", exempt_when=forms.idle)
def own() -> ResponseReturnValue:
    """Show the own account, and change its password. This session goes on; all others end."""

    def act(form: dict[str, Any]) -> ResponseReturnValue:
        backend().tell_intake("change_password", form)
        flash(gettext("Kata sandi Anda sudah diganti. Di perangkat lain Anda harus masuk lagi."))
        return redirect(url_for(".own"), 303)

    def show(form: Form) -> str:
        return render_template("account.html", form=form, contact=_contact(), username=_username())

    return forms.answer(schemas.PasswordChange, act, show)


def _contact() -> dict[str, Any] | None:
    """Return the reporter's contact; None for staff, and where intake does not answer."""
    if session.actor().role != Role.REPORTER:
        return None
    try:
        return backend().contact()
    except (StageUnavailableError, StageFailedError):
        return None


def _username() -> str | None:
    """Return the visitor's user name; None where intake does not answer."""
    try:
        return str(backend().ask_intake("own_name", {})["username"])
    except (StageUnavailableError, StageFailedError):
        return None


@pages.route("/akun/kontak", methods=["GET", "POST"])
@needs(Role.REPORTER)
@limit("LOGIN", by_account_of_staff, of="password", exempt_when=forms.idle)
def contact() -> ResponseReturnValue:
    """Change the e-mail address or telephone number."""

    def act(form: dict[str, Any]) -> ResponseReturnValue:
        backend().tell_intake("change_contact", form)
        flash(gettext("Kontak Anda disimpan. Surat berikutnya kami kirim ke %(email)s.", email=form["email"]))
        return redirect(url_for(".own"), 303)

    def show(form: Form) -> str:
        return render_template("contact.html", form=form)

    if request.method == "GET":
        return show(Form({name: text for name, text in backend().contact().items() if text}))
    return forms.attempt(schemas.ContactChange, act, show)
