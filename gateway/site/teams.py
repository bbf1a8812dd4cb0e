"""The admin's page of the addresses that letters to the teams go to."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from gateway import schemas
from gateway.backend import backend
from gateway.site import asking, forms, words
from gateway.site.forms import Form
from gateway.site.guard import new_pages
from gateway.site.session import needs
from nkk.messaging.calls import RefusedRemotelyError, StageFailedError, StageUnavailableError
from nkk.sop.refusals import InvalidInput
from nkk.sop.steps import Role
from nkk.sop.text import isolated
from nkk.validation import load

pages = new_pages("teams")


@pages.route("/admin/alamat-tim", methods=["GET", "POST"])
@needs(Role.ADMIN)
def addresses() -> ResponseReturnValue:
    """Change the addresses of each team and its superior."""
    known = _known() if request.method == "GET" else {}
    names = _names(known.get("opd_team", {}) if request.method == "GET" else _written_to())

    def read(values: Mapping[str, str]) -> dict[str, Any]:
        found = dict(zip(names, forms.together(partial(_address, team, values) for team in names), strict=True))
        written = {team: address for team, address in found.items() if address}
        return {team: address for team, address in written.items() if not team.startswith("opd-")} | {
            "opd_team": {
                team.removeprefix("opd-"): address for team, address in written.items() if team.startswith("opd-")
            }
        }

    def act(form: dict[str, Any]) -> ResponseReturnValue:
        removed = {field: text for field, text in _written(_known()).items() if field not in _written(form)}
        if removed and not asking.sure(" ".join(removed)):
            return asking.ask(
                " ".join(removed),
                gettext("Hapus alamat tim?"),
                [f"{isolated(names[field.rpartition('-')[0]])}: {text}" for field, text in removed.items()],
                gettext("Ke alamat ini tidak ada lagi surel yang dikirim."),
                gettext("Ya, hapus"),
                url_for(".addresses"),
            )
        backend().replace_teams(form)
        flash(gettext("Alamat tim disimpan."))
        if removed:
            flash(gettext("Dihapus: %(what)s", what=", ".join(removed.values())))
        return redirect(url_for(".addresses"), 303)

    def show(form: Form) -> str:
        return render_template("teams.html", form=form, names=names)

    if request.method == "GET":
        return show(Form(_written(known)))
    return forms.attempt(schemas.Teams, act, show, read)


def without_address() -> list[str]:
    """Return the teams that have no address for reminders; none where notification or intake does not answer."""
    try:
        told = _known()
        names, known = _names(told.get("opd_team", {})), _written(told)
    except (RefusedRemotelyError, StageUnavailableError, StageFailedError):
        return []
    return [name for team, name in names.items() if f"{team}-email" not in known]


def _written_to() -> list[str]:
    """Return the agencies in the form of this request."""
    return [
        field.removeprefix("opd-").removesuffix("-email")
        for field in request.form
        if field.startswith("opd-") and field.endswith("-email")
    ]


def _names(with_address: Iterable[str]) -> dict[str, str]:
    names = {"operator": gettext("Operator"), "main_team": gettext("Tim NKK Utama")}
    lists = backend().lists()
    # Agencies that have left the roster may still have cases, and saving the page must not remove their addresses.
    opds = {**lists["opds"], **{key: words.opd_name(key, lists) for key in with_address}}
    return names | {f"opd-{key}": name for key, name in opds.items()}


def _known() -> Mapping[str, Any]:
    return backend().call("notification", "teams")


def _address(team: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Return the address typed for `team`. Raises InvalidInput that names its fields on the page."""
    written = {name: values.get(f"{team}-{name}", "").strip() for name in ("email", "superior_email")}
    given = {name: text for name, text in written.items() if text}
    try:
        return load(schemas.TeamAddress, given) if given else {}
    except InvalidInput as fault:
        named = {f"{team}-{name}": said for name, said in fault.details["fields"].items()}
        raise InvalidInput({"fields": named}) from None


def _written(known: Mapping[str, Any]) -> dict[str, str]:
    addresses = {team: known[team] for team in ("operator", "main_team") if team in known}
    addresses |= {f"opd-{key}": address for key, address in known.get("opd_team", {}).items()}
    return {f"{team}-{name}": text for team, address in addresses.items() for name, text in address.items() if text}
