"""The admin's pages: staff accounts, the catalogue, the roster of agencies. They show no complaint."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from marshmallow import ValidationError

from gateway import schemas
from gateway.backend import backend
from gateway.site import asking, forms, teams, words
from gateway.site.forms import Form
from gateway.site.guard import new_pages
from gateway.site.session import needs
from nkk.contracts.fields import Slug
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.sop import faults
from nkk.sop.faults import Fault
from nkk.sop.refusals import InvalidInput
from nkk.sop.steps import STAFF_ROLES, Role
from nkk.sop.text import isolated
from nkk.validation import load

PAGE_SIZE = 50
MOST_NAMED = 3
"""How many teams without an address are named; more are only counted."""

pages = new_pages("office")


@pages.get("/admin")
@needs(Role.ADMIN)
def home() -> ResponseReturnValue:
    """Redirect to the staff page."""
    return redirect(url_for(".staff"), 303)


@pages.get("/admin/staf")
@needs(Role.ADMIN)
def staff() -> str:
    """List the staff by user name."""
    listing = backend().call("intake", "staff", request.args.get("cursor"), PAGE_SIZE)
    first = "cursor" not in request.args
    return render_template(
        "staff.html",
        rows=listing["items"],
        next=listing["next"],
        lists=backend().lists(),
        first=first,
        unreached=teams.without_address() if first else [],
        most_named=MOST_NAMED,
    )


@pages.route("/admin/staf/baru", methods=["GET", "POST"])
@needs(Role.ADMIN)
def add_staff() -> ResponseReturnValue:
    """Add a staff account."""

    def act(form: dict[str, Any]) -> ResponseReturnValue:
        backend().tell_intake("add_staff", form)
        flash(gettext("Akun %(username)s ditambahkan.", username=form["username"]))
        return redirect(url_for(".staff"), 303)

    def show(form: Form) -> str:
        return render_template("staff_new.html", form=form, lists=backend().lists(), staff_roles=STAFF_ROLES)

    return show(Form()) if request.method == "GET" else forms.attempt(schemas.NewStaff, act, show)


@pages.route("/admin/staf/<username>", methods=["GET", "POST"])
@needs(Role.ADMIN)
def account(username: str) -> ResponseReturnValue:
    """Show a staff account and set its password, which enables it again."""

    def act(form: dict[str, Any]) -> ResponseReturnValue:
        backend().tell_intake("reset_staff", {"username": username, "password": form["password"]})
        flash(gettext("Kata sandi %(username)s diganti; akunnya terbuka.", username=username))
        return redirect(url_for(".staff"), 303)

    def show(form: Form) -> str:
        return _account_page(username, form)

    return show(Form()) if request.method == "GET" else forms.attempt(schemas.NewPassword, act, show)


def _account_page(username: str, form: Form, is_last_admin: bool = False) -> str:
    known = backend().tell_intake("staff_account", {"username": username})
    return render_template(
        "staff_account.html",
        form=form,
        account=known,
        is_last_admin=is_last_admin,
        opd=words.opd_name(known["opd"], words.lists()),
    )


@pages.get("/admin/staf/<username>/nip")
@pages.get("/admin/staf/<username>/perlambatan")
@pages.get("/admin/staf/<username>/nonaktif")
@needs(Role.ADMIN)
def back(username: str) -> ResponseReturnValue:
    """Redirect to the account where an act's address is opened by GET, for example after a log-in."""
    return redirect(url_for(".account", username=username), 303)


@pages.post("/admin/staf/<username>/nonaktif")
@needs(Role.ADMIN)
def disable(username: str) -> ResponseReturnValue:
    """Disable a staff account; for the last admin's, show why that is refused."""
    if not asking.sure(username):
        known = backend().tell_intake("staff_account", {"username": username})
        return asking.ask(
            username,
            gettext("Nonaktifkan akun %(username)s?", username=username),
            [f"{username}, {isolated(known['name'])}"],
            gettext(
                "Orang ini tidak dapat masuk lagi, dan keluar paling lambat dalam 15 menit. Kata sandi baru membuka "
                "akunnya kembali."
            ),
            gettext("Ya, nonaktifkan"),
            url_for(".account", username=username),
        )
    try:
        backend().tell_intake("disable_staff", {"username": username})
    except RefusedRemotelyError as refusal:
        if refusal.name != "LastAdmin":
            raise
        return _account_page(username, Form(), is_last_admin=True), 409
    flash(gettext("Akun %(username)s dinonaktifkan. Ia keluar paling lambat dalam 15 menit.", username=username))
    return redirect(url_for(".staff"), 303)


@pages.post("/admin/staf/<username>/nip")
@needs(Role.ADMIN)
def staff_nip(username: str) -> ResponseReturnValue:
    """Set or remove the NIP of a staff account's person, which is never shown."""

    def act(form: dict[str, Any]) -> ResponseReturnValue:
        backend().tell_intake("set_staff_nip", {"username": username, "nip": form["nip"]})
        flash(
            gettext("NIP %(username)s dicatat.", username=username)
            if form["nip"]
            else gettext("NIP %(username)s dihapus.", username=username)
        )
        return redirect(url_for(".account", username=username), 303)

    def read(values: Mapping[str, str]) -> dict[str, Any]:
        return {"nip": values.get("nip", "").strip() or None}

    return forms.attempt(schemas.StaffNip, act, lambda form: _account_page(username, form), read)


@pages.post("/admin/staf/<username>/perlambatan")
@needs(Role.ADMIN)
def let_in(username: str) -> ResponseReturnValue:
    """End the slow-down of a staff account."""
    backend().tell_intake("let_staff_in", {"username": username})
    flash(gettext("Perlambatan %(username)s berakhir; orangnya dapat masuk sekarang.", username=username))
    return redirect(url_for(".account", username=username), 303)


@pages.route("/admin/perangkat-daerah", methods=["GET", "POST"])
@needs(Role.ADMIN)
def opds() -> ResponseReturnValue:
    """Edit the roster of agencies: one row for each, and a few empty ones."""

    def act(form: dict[str, Any]) -> ResponseReturnValue:
        removed = {key: name for key, name in known.items() if key not in form["opds"]}
        if removed and request.form.get(REMOVAL) != " ".join(removed):
            return show(Form(forms.typed(), status=409), _removed(removed)), 409
        _replace(form)
        _saved(gettext("Daftar perangkat daerah disimpan."), removed.values())
        return redirect(url_for(".opds"), 303)

    def show(form: Form, removed: list[dict[str, Any]] | None = None) -> str:
        return render_template("opds.html", form=form, opds=known, removed=removed, removal=REMOVAL)

    lists = backend().call("intake", "lists")
    known: dict[str, str] = lists["opds"]
    if request.method == "GET":
        return show(Form(_written("opd", known) | {"inspectorate": lists.get("inspectorate") or ""}))
    return forms.attempt(schemas.Catalogue, act, show, _read_roster)


def _read_roster(values: Mapping[str, str]) -> dict[str, Any]:
    chosen = values.get("inspectorate", "").strip()
    return {"opds": _rows("opd", values)} | ({"inspectorate": chosen} if chosen else {})


def _removed(opds: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the agencies to be removed, with how many complaints await their response; None where that is unknown."""
    try:
        waiting: dict[str, int] | None = backend().call("opd_response", "open_by_opd")
    except (StageUnavailableError, StageFailedError):
        waiting = None
    return [
        {"key": key, "name": name, "waiting": None if waiting is None else waiting.get(key, 0)}
        for key, name in opds.items()
    ]


@pages.get("/admin/kategori")
@needs(Role.ADMIN)
def categories() -> str:
    """List the catalogue's categories."""
    return render_template("categories.html", categories=backend().call("intake", "lists")["categories"])


@pages.route("/admin/kategori/<key>", methods=["GET", "POST"])
@needs(Role.ADMIN)
def category(key: str) -> ResponseReturnValue:
    """Edit a category and its sub-categories; key `baru` stands for a new one."""
    known = backend().call("intake", "lists")["categories"]

    def act(form: dict[str, Any]) -> ResponseReturnValue:
        removed = _lost(known, form["categories"])
        if removed and not asking.sure(" ".join(removed)):
            return asking.ask(
                " ".join(removed),
                gettext("Hapus dari kategori laporan?"),
                _with_open(removed),
                gettext("Laporan baru tidak dapat lagi memakainya. Laporan lama tetap ada, dan menyebut kodenya saja."),
                gettext("Ya, hapus"),
                url_for(".category", key=key),
            )
        _replace(form)
        _saved(gettext("Kategori disimpan."), removed.values())
        return redirect(url_for(".categories"), 303)

    def show(form: Form) -> str:
        return render_template("category.html", form=form, key=key, is_new=key == NEW)

    if request.method == "GET":
        return show(Form(_written_category(known.get(key, {}))))
    return forms.attempt(schemas.Catalogue, act, show, lambda values: _with_category(known, key, values))


def _lost(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of removed categories and sub-categories, by `category` or `category/sub`."""
    gone = {key: category["name"] for key, category in old.items() if key not in new}
    for key, category in old.items():
        gone |= {
            f"{key}/{sub}": name
            for sub, name in category["sub_categories"].items()
            if key in new and sub not in new[key]["sub_categories"]
        }
    return gone


def _with_open(removed: Mapping[str, str]) -> list[str]:
    """Return a line for each removed entry, with the number of open reports that use it, where that is available."""
    try:
        waiting: dict[str, int] | None = backend().call("notification", "open_by_category")
    except (StageUnavailableError, StageFailedError, RefusedRemotelyError):
        waiting = None
    lines = []
    for key, name in removed.items():
        line = f"{isolated(name)} ({key})"
        if waiting is None:
            line += ": " + gettext("berapa laporan yang masih terbuka memakainya, sedang tidak dapat diketahui")
        elif key in waiting:
            line += ": " + ngettext(
                "%(num)d laporan yang masih terbuka memakainya",
                "%(num)d laporan yang masih terbuka memakainya",
                waiting[key],
            )
        lines.append(line)
    return lines


def _saved(said: str, removed: Iterable[str]) -> None:
    names = ", ".join(map(isolated, removed))
    flash(f"{said} {gettext('Dihapus: %(what)s', what=names)}" if names else said)


NEW = "baru"
REMOVAL = "hapus"
"""The field that confirms which agencies to remove, after the page has named them."""


def _replace(form: dict[str, Any]) -> None:
    backend().call("intake", "replace_lists", form)
    backend().forget_lists()


def _written(prefix: str, names: Mapping[str, str]) -> dict[str, str]:
    """Return keys and names as numbered fields of a form."""
    fields: dict[str, str] = {}
    for number, (key, name) in enumerate(names.items()):
        fields |= {f"{prefix}-key-{number}": key, f"{prefix}-name-{number}": name}
    return fields


def _rows(prefix: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return numbered fields as keys and names; a row with two empty fields is dropped.

    Raises InvalidInput with every half-filled row, and every invalid or repeated key.
    """
    names: dict[str, str] = {}
    wrong: dict[str, Fault] = {}
    for field in (name for name in values if name.startswith(f"{prefix}-key-")):
        key, name = values[field].strip(), values.get(field.replace("-key-", "-name-"), "").strip()
        if not key and not name:
            continue
        if not key or not name:
            wrong[field] = faults.HALF_A_ROW()
        elif key in names:
            wrong[field] = faults.KEY_TWICE()
        else:
            try:
                names[Slug().deserialize(key)] = name
            except ValidationError as error:
                wrong[field] = cast(list[Fault], error.messages)[0]
    if wrong:
        raise InvalidInput.of(**wrong)
    return names


def _written_category(known: Mapping[str, Any]) -> dict[str, str]:
    return {"name": known.get("name", ""), "source": known.get("source", "")} | _written(
        "sub", known.get("sub_categories", {})
    )


def _with_category(known: Mapping[str, Any], key: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Return the catalogue with this category changed, or removed where the "remove" button was pressed."""
    key = values.get("key", "").strip() if key == NEW else key
    others = {name: category for name, category in known.items() if name != key}
    if "remove" in values:
        if not others:
            raise InvalidInput.of(categories=faults.NONE_LEFT())
        return {"categories": others}
    written = {"name": values.get("name", ""), "source": values.get("source", "")}
    _, sub_categories = forms.together(
        (lambda: load(schemas.CategoryRow, written | {"key": key}), lambda: _rows("sub", values))
    )
    return {"categories": dict(known) | {key: written | {"sub_categories": sub_categories}}}
