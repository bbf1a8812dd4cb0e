"""Register, log in, renew, log out (step 1)."""

from typing import Any

from gateway.api import Resources, schemas
from gateway.auth import needs
from gateway.backend import backend
from gateway.limits import limit

resources = Resources("accounts", __name__, description="Register and log in (step 1)")


@resources.route("/reporters", methods=["POST"])
@limit("REGISTRATION")
@resources.arguments(schemas.Registration())
@resources.response(201, schemas.Registered)
@resources.alt_response(409, response="CONFLICT")
def register(form: dict[str, Any]) -> dict[str, Any]:
    """Register as a reporter. Who you are is stored encrypted, and passes no other part of the service in the clear."""
    return backend().tell_intake("register", form)


@resources.route("/sessions", methods=["POST"])
@limit("LOGIN")
@resources.arguments(schemas.Credentials())
@resources.response(201, schemas.Session)
@resources.alt_response(401, response="UNAUTHORIZED")
def log_in(form: dict[str, Any]) -> dict[str, Any]:
    """Log in, as a reporter or as staff."""
    return backend().ask_intake("log_in", form)


@resources.route("/sessions/current/renewal", methods=["POST"])
@limit("LOGIN")
@resources.arguments(schemas.Renewal())
@resources.response(200, schemas.AccessToken)
@resources.alt_response(401, response="UNAUTHORIZED")
def renew(form: dict[str, Any]) -> dict[str, Any]:
    """A fresh access token, as long as the session lasts and the account is open."""
    return backend().ask_intake("renew", form)


@resources.route("/sessions/current", methods=["DELETE"])
@needs()
@resources.response(204)
def log_out() -> None:
    """End this session: it cannot be renewed any more, and its access token ends within 15 minutes."""
    backend().call("intake", "log_out")
