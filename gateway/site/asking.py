"""Confirmation of acts that remove something: they are carried out after a page has named what will be removed."""

from collections.abc import Iterable

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue

from gateway.site import forms

SURE = "yakin"
"""The field that names what the visitor has confirmed to remove."""


def sure(what: str) -> bool:
    """Return whether the visitor has confirmed the removal of `what` on the page of `ask`."""
    return request.form.get(SURE) == what and not forms.reviewing()


def ask(what: str, title: str, lost: Iterable[str], meaning: str, button: str, back: str) -> ResponseReturnValue:
    """Return the page that asks to confirm the removal of `what`; its button sends this request's form again.

    `lost` has a line for each thing to be removed, `meaning` says what this means for the rest, and `back` is the
    address for leaving the page without removing anything.
    """
    sent = {name: value for name, value in forms.typed().items() if name != SURE}
    page = render_template(
        "asked.html",
        title=title,
        lost=list(lost),
        meaning=meaning,
        button=button,
        back=back,
        sent=sent | {SURE: what},
    )
    return make_response(page, 409)
