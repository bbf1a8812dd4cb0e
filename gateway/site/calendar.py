"""The admin's page of the calendar: the ordinary week, seasons and special days, and forms to change them."""

import re
from collections.abc import Callable, Mapping
from datetime import time
from functools import partial
from itertools import pairwise
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from gateway import left_out, schemas
from gateway.backend import backend
from gateway.clock import now
from gateway.site import asking, forms
from gateway.site.forms import Form
from gateway.site.guard import new_pages
from gateway.site.language import full_day, open_hours
from gateway.site.session import needs
from nkk.messaging.calls import RefusedRemotelyError
from nkk.sop import faults
from nkk.sop.calendar import read_day
from nkk.sop.clock import WIB
from nkk.sop.refusals import InvalidInput
from nkk.sop.steps import Role
from nkk.sop.text import isolated
from nkk.validation import load

BY_ITSELF = "nkk"
"""The author of a version that the service made automatically."""

SPAN = re.compile(r"\s*([01]?[0-9]|2[0-3])[.:]([0-5][0-9])\s*[-–—]\s*([01]?[0-9]|2[0-3])[.:]([0-5][0-9])\s*")

Content = dict[str, Any]
Page = Callable[..., str]
"""A function that renders a page with a form; `overtaken` is True where another admin was faster."""

pages = new_pages("times")


@pages.get("/admin/kalender")
@needs(Role.ADMIN)
def show() -> str:
    """Show the newest calendar: its week, seasons and coming special days, with forms to add and remove them."""
    return _page(Form({"kind": "closed"}))


@pages.route("/admin/kalender/pekan", methods=["GET", "POST"])
@needs(Role.ADMIN)
def week() -> ResponseReturnValue:
    """Change the ordinary week, with one line for each day; an empty line is a closed day."""

    def read(values: Mapping[str, str]) -> dict[str, Any]:
        written = forms.together(partial(_hours_if_any, values, field) for field in _week_fields())
        return {"version": seen_version(), "calendar": newest()["calendar"] | {"week": written}}

    if request.method == "GET":
        return _week_page(
            Form(
                {
                    field: open_hours(spans) if spans else ""
                    for field, spans in zip(_week_fields(), newest()["calendar"]["week"], strict=True)
                }
            )
        )
    return attempt(schemas.NewCalendar, lambda form: replace(lambda _: form["calendar"]), read, _week_page)


@pages.get("/admin/kalender/<any(hari, musim):what>")
@pages.get("/admin/kalender/<any('cuti-bersama'):what>/<first>")
@pages.get("/admin/kalender/<any(hari, musim):what>/<first>/hapus")
@needs(Role.ADMIN)
def back(what: str, first: str | None = None) -> ResponseReturnValue:
    """Redirect to the calendar where an act's address is opened by GET, for example after a log-in."""
    return redirect(url_for(".show"), 303)


@pages.post("/admin/kalender/hari")
@needs(Role.ADMIN)
def add_day() -> ResponseReturnValue:
    """Make one date closed, or open in hours of its own."""

    def read(values: Mapping[str, str]) -> dict[str, Any]:
        named = {"name": values["name"]} if values.get("name", "").strip() else {}
        spans, *_ = forms.together(
            (
                lambda: _hours(values, "hours") if values.get("kind") == "open" else [],
                lambda: read_day(_required(values, "day")["day"]),
                lambda: load(schemas.OwnDay, named),
            )
        )
        return named | {"spans": spans}

    def act(own: dict[str, Any]) -> ResponseReturnValue:
        return replace(lambda content: content | {"days": content["days"] | {request.form["day"]: own}})

    return attempt(schemas.OwnDay, act, read, _page)


@pages.post("/admin/kalender/hari/<day>/hapus")
@needs(Role.ADMIN)
def remove_day(day: str) -> ResponseReturnValue:
    """Make one date an ordinary day again."""
    own = newest()["calendar"]["days"].get(day)
    if own is None:
        return redirect(url_for(".show"), 303)
    what = f"{full_day(day)}, {isolated(own['name'])}, {open_hours(own['spans'])}"
    if not asking.sure(day):
        return _ask(day, gettext("Hapus hari khusus?"), what, gettext("Hari itu menjadi hari biasa lagi."))
    return _attempt_change(
        lambda content: content | {"days": {date_: own for date_, own in content["days"].items() if date_ != day}},
        what,
    )


@pages.post("/admin/kalender/musim")
@needs(Role.ADMIN)
def add_season() -> ResponseReturnValue:
    """Add a season, a period with a week of its own."""

    def read(values: Mapping[str, str]) -> dict[str, Any]:
        _, weekdays, friday, saturday = forms.together(
            (
                lambda: _required(values, "season_name", "first", "last"),
                lambda: _hours(values, "weekdays"),
                lambda: _hours(values, "friday"),
                lambda: _hours_if_any(values, "saturday"),
            )
        )
        week = [*[weekdays] * 4, friday, saturday, []]
        season = {"name": values["season_name"], "first": values["first"], "last": values["last"], "week": week}
        content = newest()["calendar"]
        return {"version": seen_version(), "calendar": content | {"seasons": [*content["seasons"], season]}}

    return attempt(schemas.NewCalendar, lambda form: replace(lambda _: form["calendar"]), read, _page)


@pages.post("/admin/kalender/musim/<first>/hapus")
@needs(Role.ADMIN)
def remove_season(first: str) -> ResponseReturnValue:
    """Remove the season that begins on `first`."""
    own = next((season for season in newest()["calendar"]["seasons"] if season["first"] == first), None)
    if own is None:
        return redirect(url_for(".show"), 303)
    what = f"{isolated(own['name'])}, {full_day(own['first'])} – {full_day(own['last'])}"
    if not asking.sure(first):
        return _ask(first, gettext("Hapus musim?"), what, gettext("Pada hari-hari itu berlaku pekan biasa lagi."))
    return _attempt_change(
        lambda content: content | {"seasons": [season for season in content["seasons"] if season["first"] != first]},
        what,
    )


def _ask(key: str, title: str, what: str, meaning: str) -> ResponseReturnValue:
    unchanged = gettext("Waktu yang sudah berjalan tidak berubah.")
    return asking.ask(key, title, [what], f"{meaning} {unchanged}", gettext("Ya, hapus"), url_for(".show"))


@pages.post("/admin/kalender/cuti-bersama/<int:year>")
@needs(Role.ADMIN)
def joint_leave_complete(year: int) -> ResponseReturnValue:
    """Record that all joint leave of a year has been entered."""
    return _attempt_change(
        lambda content: content | {"joint_leave_years": [*content.get("joint_leave_years", []), year]}
    )


def newest() -> dict[str, Any]:
    """Return the newest version from intake."""
    return backend().call("intake", "calendar")


def names(ids: list[str]) -> dict[str, str]:
    """Return the names of those who made versions of the calendar, by id."""
    known = {BY_ITSELF: gettext("otomatis")}
    staff = sorted(set(ids) - {BY_ITSELF})
    return known | (backend().call("intake", "staff_names", staff) if staff else {})


def attempt(
    schema: Any, act: Callable[[dict[str, Any]], ResponseReturnValue], read: forms.Read, page: Page
) -> ResponseReturnValue:
    """Attempt a form that changes the calendar; show it with the newest version where another admin was faster."""
    try:
        return forms.attempt(schema, act, page, read)
    except RefusedRemotelyError as refusal:
        if refusal.name != "CalendarChangedMeanwhile":
            raise
        return page(Form(forms.typed(), status=409), overtaken=True), 409


def replace(change: Callable[[Content], Content], removed: str = "") -> ResponseReturnValue:
    """Save a changed calendar as a new version of the one that the page showed, and name what was `removed`."""
    changed = change(newest()["calendar"])
    made = backend().call("intake", "replace_calendar", seen_version(), changed)
    left_out.note({"calendar": changed}, made)
    if removed:
        flash(gettext("Dihapus: %(what)s", what=removed))
    flash(
        gettext(
            "Kalender disimpan sebagai versi %(version)s. Waktu yang sudah berjalan tidak berubah.",
            version=made["version"],
        )
    )
    return redirect(url_for("times.show"), 303)


def seen_version() -> int:
    """Return the version that the page showed, from its form."""
    seen = request.form.get("version", "")
    return int(seen) if seen.isdecimal() and len(seen) < 10 else abort(400)


def _page(form: Form, overtaken: bool = False) -> str:
    known = newest()
    content = known["calendar"]
    today = now().astimezone(WIB).date().isoformat()
    return render_template(
        "calendar.html",
        form=form,
        newest=known,
        overtaken=overtaken,
        names=names([known["changed_by"]]),
        today=today,
        seasons=[season for season in content["seasons"] if season["last"] >= today],
        days=[(day, own) for day, own in sorted(content["days"].items()) if day >= today],
    )


def _week_page(form: Form, overtaken: bool = False) -> str:
    return render_template("calendar_week.html", form=form, newest=newest(), overtaken=overtaken, days=_week_fields())


def _week_fields() -> list[str]:
    return [f"day-{number}" for number in range(7)]


def _attempt_change(change: Callable[[Content], Content], removed: str = "") -> ResponseReturnValue:
    return attempt(
        schemas.NewCalendar,
        lambda form: replace(lambda _: form["calendar"], removed),
        lambda _: {"version": seen_version(), "calendar": change(newest()["calendar"])},
        _page,
    )


def _required(values: Mapping[str, str], *fields: str) -> dict[str, str]:
    lacking = dict.fromkeys((name for name in fields if not values.get(name, "").strip()), faults.MISSING())
    if lacking:
        raise InvalidInput.of(**lacking)
    return {name: values[name].strip() for name in fields}


def _hours_if_any(values: Mapping[str, str], field: str) -> list[list[str]]:
    return _hours(values, field) if values.get(field, "").strip() else []


def _hours(values: Mapping[str, str], field: str) -> list[list[str]]:
    """Return open spans written like `08.00-12.00, 13.00-16.00`.

    Raises InvalidInput that names `field`; the stage would name the whole week.
    """
    written = _required(values, field)[field]
    spans = [SPAN.fullmatch(part) for part in re.split(r"[,;\n]", written)]
    if None in spans:
        raise InvalidInput.of(**{field: faults.NO_HOURS()})
    read = [(time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))) for found in spans if found]
    if any(opens >= closes for opens, closes in read):
        raise InvalidInput.of(**{field: faults.SPAN_BACKWARDS()})
    if any(earlier[1] > later[0] for earlier, later in pairwise(read)):
        raise InvalidInput.of(**{field: faults.SPANS_OVERLAP()})
    return [[f"{opens:%H:%M}", f"{closes:%H:%M}"] for opens, closes in read]
