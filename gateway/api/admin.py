"""What an admin maintains: staff accounts, the catalogue, the roster, the teams' addresses. It shows no complaint."""

from typing import Any

from gateway import schemas
from gateway.api.describing import next_acts
from gateway.api.resources import Resources
from gateway.auth import needs
from gateway.backend import backend
from nkk.sop import faults
from nkk.sop.refusals import InvalidInput
from nkk.sop.steps import STAFF_ROLES, Role

resources = Resources("admin", __name__, description="Staff accounts, catalogue, roster and team addresses")


@resources.route("/staff", methods=["GET"])
@needs(Role.ADMIN)
@resources.arguments(schemas.Page(), location="query")
@resources.response(200, schemas.StaffListing)
def staff(page: dict[str, Any]) -> dict[str, Any]:
    """List staff accounts by user name."""
    return backend().call("intake", "staff", page.get("cursor"), page.get("limit"))


@resources.route("/staff/names", methods=["GET"])
@needs(*STAFF_ROLES)
@resources.arguments(schemas.StaffIds(), location="query")
@resources.response(200, schemas.StaffNames)
def staff_names(form: dict[str, Any]) -> dict[str, Any]:
    """Get the names of staff ids in timelines and claims. For staff only."""
    return {"names": backend().call("intake", "staff_names", form["ids"])}


@resources.route("/staff", methods=["POST"])
@needs(Role.ADMIN)
@resources.arguments(schemas.NewStaff())
@resources.response(201, schemas.Staff)
@next_acts(201, "admin_disable_staff", "admin_reset_staff", name="username")
@resources.alt_response(409, response="CONFLICT")
def add_staff(form: dict[str, Any]) -> dict[str, Any]:
    """Add a staff account. An OPD team belongs to exactly one OPD."""
    return backend().tell_intake("add_staff", form)


@resources.route("/staff/<username>", methods=["GET"])
@needs(Role.ADMIN)
@resources.response(200, schemas.Staff)
@resources.alt_response(404, response="NOT_FOUND")
def staff_account(username: str) -> dict[str, Any]:
    """Get one staff account."""
    return backend().tell_intake("staff_account", {"username": username})


@resources.route("/staff/<username>/disablement", methods=["POST"])
@needs(Role.ADMIN)
@resources.response(200, schemas.Staff)
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
def disable_staff(username: str) -> dict[str, Any]:
    """Disable a staff account. The last admin's cannot be disabled (409).

    Requests of an operator or admin are refused at once, except for step 6; step 6 and the teams are refused within 15
    minutes. A new password enables the account again.
    """
    return backend().tell_intake("disable_staff", {"username": username})


@resources.route("/staff/<username>/password", methods=["PUT"])
@needs(Role.ADMIN)
@resources.arguments(schemas.NewPassword())
@resources.response(200, schemas.Staff)
@resources.alt_response(404, response="NOT_FOUND")
def reset_staff(form: dict[str, Any], username: str) -> dict[str, Any]:
    """Give a staff account a new password, which enables it and ends its slow-down and its sessions."""
    return backend().tell_intake("reset_staff", {"username": username, "password": form["password"]})


@resources.route("/staff/<username>/nip", methods=["PUT"])
@needs(Role.ADMIN)
@resources.arguments(schemas.StaffNip())
@resources.response(200, schemas.Staff)
@resources.alt_response(404, response="NOT_FOUND")
def set_staff_nip(form: dict[str, Any], username: str) -> dict[str, Any]:
    """Set the NIP of a staff account's person, or remove it. A change ends the account's sessions.

    The account then sees no complaint about this person: at the operator's desk at once, at the teams' within 15
    minutes.
    """
    return backend().tell_intake("set_staff_nip", {"username": username, "nip": form["nip"]})


@resources.route("/staff/<username>/slow-down", methods=["DELETE"])
@needs(Role.ADMIN)
@resources.response(200, schemas.Staff)
@resources.alt_response(404, response="NOT_FOUND")
def let_staff_in(username: str) -> dict[str, Any]:
    """End the slow-down of a staff account after wrong passwords.

    For an hour, wrong passwords slow down only the addresses, devices and sessions that send them.
    """
    return backend().tell_intake("let_staff_in", {"username": username})


@resources.route("/catalogue", methods=["GET"])
@needs(Role.ADMIN)
@resources.response(200, schemas.Catalogue)
def catalogue() -> dict[str, Any]:
    """Get the catalogue and the roster, in the form that PUT takes."""
    return {name: value for name, value in backend().call("intake", "lists").items() if value is not None}


@resources.route("/catalogue", methods=["PUT"])
@needs(Role.ADMIN)
@resources.arguments(schemas.Catalogue())
@resources.response(200, schemas.ReplacedCatalogue)
def replace_catalogue(form: dict[str, Any]) -> dict[str, Any]:
    """Replace the whole catalogue, the whole roster, or both.

    Entries missing from a list that is sent are removed without confirmation; `removed` in the response names them.
    """
    before = backend().call("intake", "lists")
    replaced = backend().call("intake", "replace_lists", form)
    backend().forget_lists()
    lists = {name: value for name, value in replaced.items() if value is not None}
    return lists | {"removed": _removed(before, lists)}


def _removed(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[str]]:
    """Return the keys in `before` that are not in `after`; sub-categories as `category/sub-category`."""
    old, new = before["categories"], after["categories"]
    subs = {
        key: set(category["sub_categories"]) - set(new[key]["sub_categories"])
        for key, category in old.items()
        if key in new
    }
    return {
        "categories": sorted(set(old) - set(new)),
        "sub_categories": sorted(f"{key}/{sub}" for key, gone in subs.items() for sub in gone),
        "opds": sorted(set(before["opds"]) - set(after["opds"])),
    }


@resources.route("/teams", methods=["GET"])
@needs(Role.ADMIN)
@resources.response(200, schemas.Teams)
def teams() -> dict[str, Any]:
    """Get the e-mail addresses of the teams and their superiors, to which reminders go when a step is due or late."""
    return backend().call("notification", "teams")


@resources.route("/teams", methods=["PUT"])
@needs(Role.ADMIN)
@resources.arguments(schemas.Teams())
@resources.response(200, schemas.Teams)
def replace_teams(form: dict[str, Any]) -> dict[str, Any]:
    """Replace all teams' addresses. A team that is left out is sent nothing."""
    unknown = set(form.get("opd_team", {})) - set(backend().lists()["opds"])
    if unknown:
        raise InvalidInput.of(opd_team=faults.NOT_ON_ROSTER(opds=sorted(unknown)))
    return backend().replace_teams(form)
