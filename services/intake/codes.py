"""Access codes of the reports that operators entered: renewed when lost, and printed on the receipt.

Threats: an operator renews the code of a report that somebody wrote themselves or by a website, and opens its account,
so only what an operator entered has a code here, and none after its person opened the account; an operator prints a
receipt with a code that opens nothing, so the code is compared first.
"""

import secrets
from typing import Any

from nkk.desk import CODE_RENEWED
from nkk.log import get_logger
from nkk.messaging.boxes import Call
from nkk.messaging.rpc import rpc
from nkk.sop.steps import Channel, Role
from nkk.trust.actor import Actor, requires
from services.intake import domain, entries, schemas
from services.intake.accounts import known_account
from services.intake.boxes import OpensBoxes, boxed
from services.intake.entries import AccountOpenedBefore, Entry, NotEnteredByStaff
from services.intake.storage import IntakeWork

log = get_logger()


class RenewsCodes(OpensBoxes):
    """The part of intake with which operators look after the access codes of the reports that they entered."""

    @rpc
    @requires(Role.OPERATOR)
    @boxed(schemas.WhichEntry)
    def renew_code(self, actor: Actor, call: Call) -> dict[str, Any]:
        """Give a report a new code, which ends the old one at once, and record it.

        Raises UnknownTicket, NotEnteredByStaff or AccountOpenedBefore.
        """
        with self.once(call) as work:
            known_account(work, actor)
            _, entry = _entered(work, actor, call.content["ticket"], for_update=True)
            code = entries.code_of(self.vault.hidden, actor.id, secrets.token_hex(), entry.ticket)
            entry.renew(entries.hash_of(self.vault.hidden, code), work.now)
            work.entries.renew(entry)
            work.record(actor, CODE_RENEWED, entry.ticket)
        log.info("access code renewed", by=actor.id)
        return schemas.RenewedCode().dump(vars(entry) | {"code": code})

    @rpc
    @requires(Role.OPERATOR)
    @boxed(schemas.ShownCode)
    def paper_receipt(self, actor: Actor, call: Call) -> dict[str, Any]:
        """Return what the receipt on paper says of a report, where the caller has its code.

        Raises UnknownTicket, NotEnteredByStaff, AccountOpenedBefore or AccessCodeRefused.
        """
        with self.once(call) as work:
            known_account(work, actor)
            complaint, entry = _entered(work, actor, call.content["ticket"])
            if entry.used_at is not None:
                raise AccountOpenedBefore
            if entries.hash_of(self.vault.hidden, call.content["access_code"]) != entry.code_hash:
                raise entries.access_code_refused()
        return schemas.PaperReceipt().dump(vars(entry) | {"complaint": complaint})


def _entered(work: IntakeWork, actor: Actor, ticket: str, for_update: bool = False) -> tuple[domain.Complaint, Entry]:
    complaint, entry = work.complaints.get(ticket, actor), work.entries.find(ticket, for_update)
    if entry is None or complaint.channel == Channel.WEB:
        raise NotEnteredByStaff
    return complaint, entry
