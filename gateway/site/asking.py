"""Acts that take something away: each is carried out once its visitor was told what goes, and said so again."""

from collections.abc import Iterable

from flask import make_response, render_template, request
from flask.typing import ResponseReturnValue

from gateway.site import forms

SURE = "yakin"
"""The field that names what is to be taken away, once the visitor was told."""


def sure(what: str) -> bool:
    """Return whether this request comes from the page that `ask` showed of `what`."""
    return request.form.get(SURE) == what and not forms.reviewing()


def ask(what: str, title: str, lost: Iterable[str], meaning: str, button: str, back: str) -> ResponseReturnValue:
    """Return the page that asks whether `what` is to go: its button sends this request's form again.

    `lost` says in a line each what goes, `meaning` what becomes of what is left; `back` leads where nothing is done.
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
