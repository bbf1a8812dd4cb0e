"""The calendar: office hours, holidays and the agency's own days. Every change makes a new version."""

from typing import Any

from gateway import left_out, schemas
from gateway.api.resources import Resources
from gateway.auth import needs
from gateway.backend import backend
from nkk.sop.steps import Role

resources = Resources("calendar", __name__, description="Office hours, holidays and the agency's own days")


@resources.route("/calendar", methods=["GET"])
@needs(Role.ADMIN)
@resources.response(200, schemas.CalendarVersion)
@resources.alt_response(404, response="NOT_FOUND")
def calendar() -> dict[str, Any]:
    """Get the newest calendar, by which clocks that start now count."""
    return backend().call("intake", "calendar")


@resources.route("/calendar", methods=["PUT"])
@needs(Role.ADMIN)
@resources.arguments(schemas.NewCalendar())
@resources.response(200, schemas.CalendarVersion)
@resources.alt_response(409, response="CONFLICT")
def replace_calendar(form: dict[str, Any]) -> dict[str, Any]:
    """Replace the calendar. Clocks that have started keep counting by their own version."""
    made = backend().call("intake", "replace_calendar", form["version"], form["calendar"])
    left_out.note({"calendar": form["calendar"]}, made)
    return made


@resources.route("/calendar/versions", methods=["GET"])
@needs(Role.ADMIN)
@resources.arguments(schemas.Page(), location="query")
@resources.response(200, schemas.CalendarVersions)
def versions(page: dict[str, Any]) -> dict[str, Any]:
    """List all versions of the calendar, newest first."""
    return backend().call("intake", "calendar_versions", page.get("cursor"), page.get("limit"))


@resources.route("/calendar/versions/<int:version>", methods=["GET"])
@needs(Role.ADMIN)
@resources.response(200, schemas.CalendarVersion)
@resources.alt_response(404, response="NOT_FOUND")
def version(version: int) -> dict[str, Any]:
    """Get one version of the calendar."""
    return backend().call("intake", "calendar", version)


@resources.route("/calendar/national-days", methods=["GET"])
@needs(Role.ADMIN)
@resources.arguments(schemas.Year(), location="query")
@resources.response(200, schemas.NationalDays)
def national_days(form: dict[str, Any]) -> dict[str, Any]:
    """Get the national holidays and joint leave (cuti bersama) of a year, as known today, for the calendar."""
    return backend().call("intake", "national_days", form["year"])


@resources.route("/calendar/days/<day>", methods=["PUT"])
@needs(Role.ADMIN)
@resources.arguments(schemas.OwnDay())
@resources.response(200, schemas.CalendarVersion)
@resources.alt_response(409, response="CONFLICT")
def set_day(form: dict[str, Any], day: str) -> dict[str, Any]:
    """Make one date (such as 2026-12-31) a closure, a holiday, or a working day with hours of its own."""
    return backend().call("intake", "set_day", day, form)


@resources.route("/calendar/days/<day>", methods=["DELETE"])
@needs(Role.ADMIN)
@resources.response(200, schemas.CalendarVersion)
@resources.alt_response(404, response="NOT_FOUND")
@resources.alt_response(409, response="CONFLICT")
@resources.alt_response(422, response="INVALID_INPUT")
def clear_day(day: str) -> dict[str, Any]:
    """Make one date an ordinary day again."""
    return backend().call("intake", "set_day", day, None)
