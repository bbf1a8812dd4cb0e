"""Registration, log-in, renewal and log-out (step 1), and changes of contact and password."""

from typing import Any

from gateway import cors, devices, renewals, schemas
from gateway.api.resources import Resources
from gateway.auth import needs
from gateway.backend import backend
from gateway.limits import by_account_of_staff, limit
from nkk.sop.steps import PERSONS, Role

ASKED = {
    "detail": "If a reporter has this user name or e-mail address, a letter with the user name and a code is on "
    "its way to the address they registered with: one for each of their accounts. It may take some "
    "minutes; at most a few letters are sent an hour.",
    "valid_minutes": 60,
}
"""The response to every reset request, the same for all, so that it does not reveal who is registered."""

resources = Resources("accounts", __name__, description="Register and log in (step 1)")


@resources.route("/reporters", methods=["POST"])
@limit("REGISTRATION")
@resources.arguments(schemas.Registration())
@resources.response(201, schemas.Registered)
@resources.alt_response(409, response="CONFLICT")
def register(form: dict[str, Any]) -> dict[str, Any]:
    """Register as a reporter.

    Your identity is stored encrypted, and passes through no other part of the service in the clear.
    """
    return backend().tell_intake("register", form)


@resources.route("/reporters/from-code", methods=["POST"])
@limit("REGISTRATION", of="from-code")
@resources.arguments(schemas.CodeRegistration())
@resources.response(201, schemas.Registered)
@resources.alt_response(409, response="CONFLICT")
def open_by_code(form: dict[str, Any]) -> dict[str, Any]:
    """Choose a user name and a password by the access code of a report that a website sent in for you.

    A code is valid once, for 90 days; otherwise the problem is `access-code-refused`. A user name that is taken leaves
    it unused.
    """
    return backend().tell_intake("open_account", form)


@resources.route("/reporters/me/contact", methods=["GET"])
@needs(Role.REPORTER)
@resources.response(200, schemas.Contact)
def contact() -> dict[str, Any]:
    """Get your contact addresses, as a reporter."""
    return backend().contact()


@resources.route("/reporters/me/contact", methods=["PUT"])
@needs(Role.REPORTER)
@limit("LOGIN", by_account_of_staff, of="password")
@resources.arguments(schemas.ContactChange())
@resources.response(204)
def change_contact(form: dict[str, Any]) -> None:
    """Change your contact addresses: letters go there from now on.

    A code for a new password that was sent to the earlier address becomes invalid. Too many wrong passwords slow down
    this session (`slowed-down`).
    """
    backend().tell_intake("change_contact", form)


@resources.route("/sessions", methods=["POST"])
@limit("LOGIN", devices.by_device(devices.in_header, each=("staff",)))
@resources.arguments(schemas.KnownDevice(), location="headers")
@resources.arguments(schemas.Credentials())
@resources.response(201, schemas.Session, headers=schemas.DEVICE_HEADERS)
@resources.alt_response(401, response="UNAUTHORIZED")
def log_in(headers: dict[str, Any], form: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Log in, as a reporter or as staff.

    Too many wrong passwords for one user name slow down the address they came from (`slowed-down`); guesses from many
    addresses slow down all unknown devices. Store the header `X-NKK-Device` of the response, separately for each of
    your users, and send it with their next log-in: a device that has logged in before is not slowed down by others.
    """
    device = devices.read(headers["device"])
    opened = renewals.marked(backend().ask_intake("log_in", device.credentials(form)))
    _withhold_from_websites(opened)
    return opened, 201, {devices.HEADER: str(device.after(form["username"], opened["role"]))}


@resources.route("/sessions/current/renewal", methods=["POST"])
@limit("LOGIN", renewals.in_json, of="renewal")
@resources.arguments(schemas.Renewal())
@resources.response(200, schemas.AccessToken)
@resources.alt_response(401, response="UNAUTHORIZED")
def renew(form: dict[str, Any]) -> dict[str, Any]:
    """Get a new access token, while the session lasts and the account is enabled."""
    renewed: dict[str, Any] = renewals.renew(form["refresh_token"])
    _withhold_from_websites(renewed)
    return renewed


@resources.route("/sessions/current", methods=["DELETE"])
@needs()
@resources.response(204)
def log_out() -> None:
    """End this session, so that it cannot be renewed.

    Its access token is refused at once for reports, lists and accounts, and within 15 minutes for the steps from 3 on.
    """
    backend().call("intake", "log_out")


@resources.route("/sessions/current/password", methods=["PUT"])
@needs(*PERSONS)
@limit("LOGIN", by_account_of_staff, of="password")
@resources.arguments(schemas.PasswordChange())
@resources.response(204)
def change_password(form: dict[str, Any]) -> None:
    """Change your own password, as a reporter or as staff. All your other sessions end, and this one continues.

    Too many wrong passwords slow down this session (`slowed-down`).
    """
    backend().tell_intake("change_password", form)


@resources.route("/password-resets", methods=["POST"])
@limit("RESET", devices.by_device(devices.in_header))
@resources.arguments(schemas.ResetRequest())
@resources.response(202, schemas.ResetAsked)
def ask_for_reset(form: dict[str, Any]) -> dict[str, Any]:
    """Request a letter with your user name and a code for a new password, as a reporter who forgot either.

    Staff members ask an admin instead. The response is the same for every user name and every address.
    """
    backend().tell_intake("request_reset", form)
    return ASKED


@resources.route("/password-resets/completion", methods=["POST"])
@limit("LOGIN", of="completion")
@resources.arguments(schemas.ResetCompletion())
@resources.response(204)
def complete_reset(form: dict[str, Any]) -> None:
    """Set a new password with the code from the letter. This ends a slow-down and all sessions of the account.

    A code is valid once, for an hour, and only if no newer one was sent; otherwise the problem is `reset-expired`.
    """
    backend().tell_intake("complete_reset", form)


def _withhold_from_websites(opened: dict[str, Any]) -> None:
    """Withhold from the scripts of other websites the tokens of all but reporters."""
    if opened["role"] != Role.REPORTER:
        cors.withhold()
