"""The accused's NIP, by which a report is hidden from the accused's own account at a desk.

Threat: whoever reads the database, an event or a page learns the number. So it comes sealed, is kept as a keyed hash
alone, and is shown to nobody, its reporter included.
"""

from datetime import date
from typing import Any

from marshmallow import Schema

from nkk.contracts.fields import Digits, Length
from nkk.sop.registration import check_nip
from nkk.validation import load
from services.intake.identity import Vault

FIELD = "accused_nip"


class SealedNip(Schema):
    """What the gateway seals of the form."""

    nip = Digits(required=True, validate=Length(1, 32))


def hidden(form: dict[str, Any], vault: Vault, today: date) -> dict[str, Any]:
    """Return a report's form with `barred`, the keyed hash, in place of the accused's sealed NIP, where it has one.

    Raises InvalidInput, naming the field, where it is no NIP.
    """
    rest = {name: value for name, value in form.items() if name != FIELD}
    if form.get(FIELD) is None:
        return rest
    nip = load(SealedNip, vault.opened(form[FIELD]))["nip"]
    check_nip(nip, today, FIELD)
    return rest | {"barred": vault.barred(nip)}
