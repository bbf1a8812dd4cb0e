"""The admin's pages about time and reach: the calendar with its versions, and where the teams get their mail."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from gateway.api import schemas
from gateway.backend import backend
from gateway.site import forms
from gateway.site.forms import Form
from gateway.site.guard import new_pages
from gateway.site.session import needs
from nkk.messaging.calls import RefusedRemotelyError
from nkk.messaging.validation import load
from nkk.sop.clock import WIB
from nkk.sop.refusals import InvalidInput
from nkk.sop.steps import Role

PAGE_SIZE = 50
BY_ITSELF = "nkk"
"""Who made a version that the service made by itself."""

MISSING = "Missing data for required field."
HOURS = "Office hours are written like 08.00-12.00, 13.00-16.00."

SPAN = re.compile(r"\s*([0-9]{1,2})[.:]([0-9]{2})\s*[-–—]\s*([0-9]{1,2})[.:]([0-9]{2})\s*")

pages = new_pages("times")


@pages.get("/admin/kalender")
@needs(Role.ADMIN)
def show() -> str:
    """The newest calendar: the week, seasons, coming days of their own; what may be added and removed."""
    return _page(Form({"kind": "closed"}))


@pages.get("/admin/kalender/versi")
@needs(Role.ADMIN)
def versions() -> str:
    """Every version, with who made it and when."""
    listing = backend().call("intake", "calendar_versions", request.args.get("cursor"), PAGE_SIZE)
    names = _names([row["changed_by"] for row in listing["items"]])
    return render_template("calendar_versions.html", rows=listing["items"], names=names, next=listing["next"],
                           first="cursor" not in request.args)


@pages.get("/admin/kalender/<any(hari, musim):what>")
@needs(Role.ADMIN)
def back(what: str) -> ResponseReturnValue:
    """An act's address opened by itself, such as after a log-in: to the calendar."""
    return redirect(url_for(".show"), 303)


@pages.post("/admin/kalender/hari")
@needs(Role.ADMIN)
def add_day() -> ResponseReturnValue:
    """Make one date closed, or open in hours of its own."""
    def read(values: Mapping[str, str]) -> dict[str, Any]:
        _required(values, "day")
        own = {name: values[name] for name in ("name",) if values.get(name, "").strip()}
        return own | {"spans": _hours(values, "hours") if values.get("kind") == "open" else []}

    def act(own: dict[str, Any]) -> ResponseReturnValue:
        return _replace(lambda content: content | {"days": content["days"] | {request.form["day"]: own}})

    return _attempt(schemas.OwnDay, act, read)


@pages.post("/admin/kalender/hari/<day>/hapus")
@needs(Role.ADMIN)
def remove_day(day: str) -> ResponseReturnValue:
    """Make one date an ordinary day again."""
    return _attempt_removal(lambda content: content | {
        "days": {date_: own for date_, own in content["days"].items() if date_ != day}})


@pages.post("/admin/kalender/musim")
@needs(Role.ADMIN)
def add_season() -> ResponseReturnValue:
    """Give a stretch of dates a week of its own."""
    def read(values: Mapping[str, str]) -> dict[str, Any]:
        _required(values, "season_name", "first", "last", "weekdays", "friday")
        saturday = _hours(values, "saturday") if values.get("saturday", "").strip() else []
        week = [*[_hours(values, "weekdays")] * 4, _hours(values, "friday"), saturday, []]
        season = {"name": values["season_name"], "first": values["first"], "last": values["last"], "week": week}
        content = _newest()["calendar"]
        return {"version": _version(), "calendar": content | {"seasons": [*content["seasons"], season]}}

    def act(form: dict[str, Any]) -> ResponseReturnValue:
        return _replace(lambda _: form["calendar"])

    return _attempt(schemas.NewCalendar, act, read)


@pages.post("/admin/kalender/musim/<first>/hapus")
@needs(Role.ADMIN)
def remove_season(first: str) -> ResponseReturnValue:
    """Take the season away that begins on `first`."""
    return _attempt_removal(lambda content: content | {
        "seasons": [season for season in content["seasons"] if season["first"] != first]})


@pages.route("/admin/alamat-tim", methods=["GET", "POST"])
@needs(Role.ADMIN)
def teams() -> ResponseReturnValue:
    """Where each team and its superior are written to."""
    names = {"operator": gettext("Operator"), "main_team": gettext("Tim NKK Utama")}
    names |= {f"opd-{key}": name for key, name in backend().lists()["opds"].items()}

    def read(values: Mapping[str, str]) -> dict[str, Any]:
        found = {team: _address(team, values) for team in names}
        written = {team: address for team, address in found.items() if address}
        return {team: address for team, address in written.items() if not team.startswith("opd-")} | {
            "opd_team": {team.removeprefix("opd-"): address for team, address in written.items()
                         if team.startswith("opd-")}}

    def act(form: dict[str, Any]) -> ResponseReturnValue:
        backend().call("notification", "replace_teams", form)
        flash(gettext("Alamat tim disimpan."))
        return redirect(url_for(".teams"), 303)

    def show(form: Form) -> str:
        return render_template("teams.html", form=form, names=names)

    if request.method == "GET":
        return show(Form(_written(backend().call("notification", "teams"))))
    return forms.attempt(schemas.Teams, act, show, read)


def _address(team: str, values: Mapping[str, str]) -> dict[str, Any]:
    """What was written for `team`. Raises InvalidInput, naming its fields on the page."""
    written = {name: values.get(f"{team}-{name}", "").strip() for name in ("email", "superior_email")}
    given = {name: text for name, text in written.items() if text}
    try:
        return load(schemas.TeamAddress, given) if given else {}
    except InvalidInput as fault:
        named = {f"{team}-{name}": said for name, said in fault.details["fields"].items()}
        raise InvalidInput(fault.sentence, {"fields": named}) from None


def _written(known: Mapping[str, Any]) -> dict[str, str]:
    addresses = {team: known[team] for team in ("operator", "main_team") if team in known}
    addresses |= {f"opd-{key}": address for key, address in known.get("opd_team", {}).items()}
    return {f"{team}-{name}": text for team, address in addresses.items() for name, text in address.items() if text}


def _page(form: Form, overtaken: bool = False) -> str:
    newest = _newest()
    content = newest["calendar"]
    today = datetime.now(WIB).date().isoformat()
    return render_template(
        "calendar.html", form=form, newest=newest, overtaken=overtaken,
        names=_names([newest["changed_by"]]), today=today,
        seasons=[season for season in content["seasons"] if season["last"] >= today],
        days=[(day, own) for day, own in sorted(content["days"].items()) if day >= today])


def _newest() -> dict[str, Any]:
    return backend().call("intake", "calendar")


def _names(ids: list[str]) -> dict[str, str]:
    """The names behind who changed a calendar."""
    known = {BY_ITSELF: gettext("otomatis")}
    staff = sorted(set(ids) - {BY_ITSELF})
    return known | (backend().call("intake", "staff_names", staff) if staff else {})


def _attempt(schema: Any, act: Callable[[dict[str, Any]], ResponseReturnValue], read: forms.Read
             ) -> ResponseReturnValue:
    """A form of the calendar's page; shown again over the newest calendar where somebody was quicker."""
    try:
        return forms.attempt(schema, act, _page, read)
    except RefusedRemotelyError as refusal:
        if refusal.name != "CalendarChangedMeanwhile":
            raise
        return _page(Form(forms.typed(), status=409), overtaken=True), 409


def _attempt_removal(change: Callable[[dict[str, Any]], dict[str, Any]]) -> ResponseReturnValue:
    return _attempt(schemas.NewCalendar, lambda form: _replace(lambda _: form["calendar"]),
                    lambda _: {"version": _version(), "calendar": change(_newest()["calendar"])})


def _replace(change: Callable[[dict[str, Any]], dict[str, Any]]) -> ResponseReturnValue:
    """A new version in the place of the one that the page showed."""
    made = backend().call("intake", "replace_calendar", _version(), change(_newest()["calendar"]))
    flash(gettext("Kalender disimpan sebagai versi %(version)s. Waktu yang sudah berjalan tidak berubah.",
                  version=made["version"]))
    return redirect(url_for(".show"), 303)


def _version() -> int:
    """The version that the visitor saw."""
    seen = request.form.get("version", "")
    return int(seen) if seen.isdecimal() and len(seen) < 10 else abort(400)


def _required(values: Mapping[str, str], *names: str) -> None:
    lacking = dict.fromkeys((name for name in names if not values.get(name, "").strip()), MISSING)
    if lacking:
        raise InvalidInput.of(**lacking)


def _hours(values: Mapping[str, str], field: str) -> list[list[str]]:
    """Open spans as people write them, such as `08.00-12.00, 13.00-16.00`. Raises InvalidInput."""
    spans = [SPAN.fullmatch(part) for part in re.split(r"[,;\n]", values.get(field, ""))]
    if None in spans:
        raise InvalidInput.of(**{field: HOURS})
    return [[f"{int(found[1]):02}:{found[2]}", f"{int(found[3]):02}:{found[4]}"] for found in spans if found]
