"""How a rule says no: named errors with a sentence a person can act on.

A refusal changes nothing. It crosses the wire by its class name with its sentence and details, and becomes an HTTP
status in one place of the gateway.
"""

from typing import Any

from nkk.sop.faults import Fault


class Refused(Exception):
    """A command was understood and refused; nothing changed.

    `sentence` says what is wrong and what to do, and never carries a person's own words; `details` are JSON values,
    such as `stands` (what the complaint's state is now) or `fields` (field name -> list of `nkk.sop.faults`).
    """

    def __init__(self, sentence: str, details: dict[str, Any] | None = None) -> None:
        super().__init__(sentence, details or {})
        self.sentence = sentence
        self.details = details or {}

    def __str__(self) -> str:
        return self.sentence


class InvalidInput(Refused):
    """One or more fields are wrong; `details["fields"]` names each with its faults."""

    @classmethod
    def of(cls, **fields: Fault) -> "InvalidInput":
        """One fault a field."""
        return cls("Some fields need correcting.", {"fields": {name: [fault] for name, fault in fields.items()}})


class NotAuthenticated(Refused):
    """Nobody is logged in, or the access token is expired, forged or not for this service."""


class NotYourRole(Refused):
    """The actor is known, but this act belongs to another role."""


class UnknownTicket(Refused):
    """No such complaint for this actor: an unknown ticket and somebody else's look the same."""

    def __init__(
        self,
        sentence: str = "There is no complaint with this ticket. Check it and try again.",
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(sentence, details)


class NotYourStep(Refused):
    """The complaint does not stand at the step this act belongs to; `details["stands"]` says where it stands."""


class AlreadyDone(Refused):
    """The step was done before; nothing changed. `details["stands"]` says where the complaint stands now."""
