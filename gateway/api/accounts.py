"""Register, log in, renew, log out (step 1); change one's address or password, also where it was forgotten."""

from typing import Any

from gateway import devices, renewals, schemas
from gateway.api.resources import Resources
from gateway.auth import needs
from gateway.backend import backend
from gateway.limits import by_account_of_staff, limit
from nkk.sop.steps import Role

ASKED = {
    "detail": "If a reporter has this user name or e-mail address, a letter with the user name and a code is on "
    "its way to the address they registered with: one for each of their accounts. It may take some "
    "minutes; at most a few letters are sent an hour.",
    "valid_minutes": 60,
}
"""What everybody is answered who asks for a new password: nobody learns who is registered."""

resources = Resources("accounts", __name__, description="Register and log in (step 1)")


@resources.route("/reporters", methods=["POST"])
@limit("REGISTRATION")
@resources.arguments(schemas.Registration())
@resources.response(201, schemas.Registered)
@resources.alt_response(409, response="CONFLICT")
def register(form: dict[str, Any]) -> dict[str, Any]:
    """Register as a reporter. Who you are is stored encrypted, and passes no other part of the service in the clear."""
    return backend().tell_intake("register", form)


@resources.route("/reporters/me/contact", methods=["GET"])
@needs(Role.REPORTER)
@resources.response(200, schemas.Contact)
def contact() -> dict[str, Any]:
    """Where you are reached, as a reporter."""
    return backend().contact()


@resources.route("/reporters/me/contact", methods=["PUT"])
@needs(Role.REPORTER)
@limit("LOGIN", by_account_of_staff, of="password")
@resources.arguments(schemas.ContactChange())
@resources.response(204)
def change_contact(form: dict[str, Any]) -> None:
    """Be reached elsewhere: from now on letters go to this address. A code for a new password that was sent to another
    one is good no more.

    Too many wrong passwords slow down this session (`slowed-down`).
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

    Too many wrong passwords for one user name slow down the address they came from (`slowed-down`), and all strangers
    where many addresses guess. Keep the header `X-NKK-Device` of the answer, for each of your users by itself, and send
    it with their next log-in: a device that logged in before is not slowed down by others.
    """
    device = devices.read(headers["device"])
    opened = renewals.marked(backend().ask_intake("log_in", device.credentials(form)))
    return opened, 201, {devices.HEADER: str(device.after(form["username"], opened["role"]))}


@resources.route("/sessions/current/renewal", methods=["POST"])
@limit("LOGIN", renewals.in_json, of="renewal")
@resources.arguments(schemas.Renewal())
@resources.response(200, schemas.AccessToken)
@resources.alt_response(401, response="UNAUTHORIZED")
def renew(form: dict[str, Any]) -> dict[str, Any]:
    """A fresh access token, as long as the session lasts and the account is open."""
    return renewals.renew(form["refresh_token"])


@resources.route("/sessions/current", methods=["DELETE"])
@needs()
@resources.response(204)
def log_out() -> None:
    """End this session: it cannot be renewed any more. Its access token is refused at once for reports, lists and
    accounts, and ends for the steps from 3 on within 15 minutes."""
    backend().call("intake", "log_out")


@resources.route("/sessions/current/password", methods=["PUT"])
@needs()
@limit("LOGIN", by_account_of_staff, of="password")
@resources.arguments(schemas.PasswordChange())
@resources.response(204)
def change_password(form: dict[str, Any]) -> None:
    """Change your own password, as a reporter or as staff. All your other sessions end; this one goes on.

    Too many wrong passwords slow down this session (`slowed-down`).
    """
    backend().tell_intake("change_password", form)


@resources.route("/password-resets", methods=["POST"])
@limit("RESET", devices.by_device(devices.in_header))
@resources.arguments(schemas.ResetRequest())
@resources.response(202, schemas.ResetAsked)
def ask_for_reset(form: dict[str, Any]) -> dict[str, Any]:
    """Ask for a letter with your user name and a code for a new password, as a reporter who forgot either; staff ask an
    admin. Every user name and every address is answered the same."""
    backend().tell_intake("request_reset", form)
    return ASKED


@resources.route("/password-resets/completion", methods=["POST"])
@limit("LOGIN", of="completion")
@resources.arguments(schemas.ResetCompletion())
@resources.response(204)
def complete_reset(form: dict[str, Any]) -> None:
    """Set a new password with the code of the letter. Ends a slow-down, and all sessions of the account.

    A code works once, within an hour, and only the newest one sent: else the problem `reset-expired`.
    """
    backend().tell_intake("complete_reset", form)
