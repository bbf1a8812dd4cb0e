"""The admin's pages of the calendar's versions, each with its changes."""

from collections.abc import Mapping
from typing import Any

from flask import render_template, request
from flask_babel import gettext

from gateway.backend import backend
from gateway.site.calendar import names
from gateway.site.guard import new_pages
from gateway.site.language import full_day, open_hours, weekday
from gateway.site.session import needs
from nkk.sop.steps import Role
from nkk.sop.text import isolated

PAGE_SIZE = 50

pages = new_pages("versions")


@pages.get("/admin/kalender/versi")
@needs(Role.ADMIN)
def every() -> str:
    """List the versions, each with who made it and when."""
    listing = backend().call("intake", "calendar_versions", request.args.get("cursor"), PAGE_SIZE)
    known = names([row["changed_by"] for row in listing["items"]])
    return render_template(
        "calendar_versions.html",
        rows=listing["items"],
        names=known,
        next=listing["next"],
        first="cursor" not in request.args,
    )


@pages.get("/admin/kalender/versi/<int:number>")
@needs(Role.ADMIN)
def one(number: int) -> str:
    """Show one version, and what it changed from the one before."""
    shown = _version(number)
    before = _version(number - 1) if number > 1 else None
    content = shown["calendar"]
    return render_template(
        "calendar_version.html",
        shown=shown,
        names=names([shown["changed_by"]]),
        changes=_changes(before["calendar"], content) if before else None,
        is_newest=backend().call("intake", "calendar")["version"] == number,
        days=sorted(content["days"].items()),
    )


def _version(number: int) -> dict[str, Any]:
    return backend().call("intake", "calendar", number)


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the changes of a calendar in sentences, one for each day of the week, season or date."""
    said = [
        gettext("%(day)s: %(new)s, sebelumnya %(old)s", day=weekday(number), new=open_hours(spans), old=open_hours(was))
        for number, (was, spans) in enumerate(zip(old["week"], new["week"], strict=True))
        if was != spans
    ]
    said += _changed(
        {season["first"]: season for season in old["seasons"]},
        {season["first"]: season for season in new["seasons"]},
        _season,
    )
    said += _changed(old["days"], new["days"], _day)
    told, tells = (dict.fromkeys(content.get("joint_leave_years", [])) for content in (old, new))
    return said + _changed(told, tells, _joint_leave)


def _changed(old: Mapping[str, Any], new: Mapping[str, Any], called: Any) -> list[str]:
    """Return what was added, changed and removed, by date."""
    said = []
    for key in sorted({*old, *new}):
        if key not in old:
            said.append(gettext("Ditambahkan: %(what)s", what=called(key, new[key])))
        elif key not in new:
            said.append(gettext("Dihapus: %(what)s", what=called(key, old[key])))
        elif old[key] != new[key]:
            said.append(gettext("Diubah: %(what)s", what=called(key, new[key])))
    return said


def _joint_leave(year: int, _: None) -> str:
    return gettext("Cuti bersama %(year)s sudah lengkap", year=year)


def _season(_first: str, season: Mapping[str, Any]) -> str:
    return f"{isolated(season['name'])}, {full_day(season['first'])} – {full_day(season['last'])}"


def _day(day: str, own: Mapping[str, Any]) -> str:
    return f"{full_day(day)}, {isolated(own['name'])} ({open_hours(own['spans'])})"
