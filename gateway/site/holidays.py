"""The admin's page of a year's national holidays and joint leave, compared with the calendar."""

from collections.abc import Mapping
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from gateway import schemas
from gateway.backend import backend
from gateway.clock import now
from gateway.site.calendar import attempt, newest, replace, seen_version
from gateway.site.forms import Form
from gateway.site.guard import new_pages
from gateway.site.session import needs
from nkk.sop import faults
from nkk.sop.clock import WIB
from nkk.sop.refusals import InvalidInput
from nkk.sop.steps import Role
from nkk.validation import load

YEARS_AHEAD = 2

pages = new_pages("holidays")


@pages.get("/admin/kalender/hari-nasional")
@needs(Role.ADMIN)
def national() -> ResponseReturnValue:
    """Show the days of a year, and which of them are in the calendar."""
    page = _page(Form(), year := _asked())
    return page, 200 if year is not None else 422


@pages.post("/admin/kalender/hari-nasional")
@needs(Role.ADMIN)
def take_in() -> ResponseReturnValue:
    """Add the chosen days to the calendar, as they are known today."""
    year = _asked()
    if year is None:
        return redirect(url_for(".national"), 303)

    def read(values: Mapping[str, str]) -> dict[str, Any]:
        content = newest()["calendar"]
        chosen = {day: own for day, own in _known(year)["days"].items() if _field(day) in values}
        if not chosen:
            raise InvalidInput.of(days=faults.NO_DAY_CHOSEN())
        return {"version": seen_version(), "calendar": content | {"days": content["days"] | chosen}}

    return attempt(
        schemas.NewCalendar,
        lambda form: replace(lambda _: form["calendar"]),
        read,
        lambda form, overtaken=False: _page(form, year, overtaken),
    )


def _this_year() -> int:
    return now().astimezone(WIB).year


def _asked() -> int | None:
    """Return the requested year, this year where none is given, None where it is invalid."""
    typed = request.values.get("tahun", "").strip()
    try:
        return load(schemas.Year, {"year": typed})["year"] if typed else _this_year()
    except InvalidInput:
        return None


def _field(day: str) -> str:
    """Return the form field of a day. Each day has its own, because only one value per field survives a log-in."""
    return f"hari-{day}"


def _known(year: int) -> dict[str, Any]:
    return backend().call("intake", "national_days", year)


def _page(form: Form, year: int | None, overtaken: bool = False) -> str:
    calendar, shown = newest(), year if year is not None else _this_year()
    content, listed = calendar["calendar"], _known(shown)
    own = content["days"]
    rows = [
        {
            "day": day,
            "name": known["name"],
            "own": own.get(day),
            "field": _field(day),
            "chosen": request.method == "GET" or _field(day) in form.values,
        }
        for day, known in sorted(listed["days"].items())
    ]
    told = listed.get("joint_leave") or shown in content.get("joint_leave_years", [])
    unknown = shown >= _this_year() and not told
    years = sorted({*range(_this_year() - 1, _this_year() + YEARS_AHEAD + 1), shown})
    return render_template(
        "holidays.html",
        form=form,
        newest=calendar,
        overtaken=overtaken,
        rows=rows,
        year=shown,
        years=years,
        joint_leave_unknown=unknown,
        lacking=any(row["own"] is None for row in rows),
        taken_in=shown in content["national_years"],
    )
