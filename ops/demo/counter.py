"""A report that the operator enters for somebody at the counter, who reads the answer by the code of the receipt."""

from contextlib import suppress
from typing import Any

from ops.demo.visitor import Declined, Visitor

IDENTITY = ("kind", "identity_number", "name", "email", "phone")


def entered(form: dict[str, Any], channel: str, person: dict[str, Any]) -> dict[str, Any]:
    """Return the entry of a report of `person`, who came by `channel`."""
    return form | {"channel": channel, "reporter": {name: person[name] for name in IDENTITY}}


def at_home(anyone: Visitor, access_code: str, person: dict[str, Any], username: str) -> Visitor:
    """Open the account of an entered report by its code, under an unused user name, and log in."""
    choice = {"username": username, "password": person["password"]}
    # The code is used up where the reply to a first attempt was lost; the log-in shows that.
    with suppress(Declined):
        anyone.post("/reporters/from-code", choice | {"access_code": access_code})
    return anyone.log_in(**choice)
