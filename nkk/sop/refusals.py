"""How a rule says no: named errors with a code and its parameters. The doors have the words for them.

A refusal changes nothing. It crosses the wire by its class name with its code and details, and becomes an HTTP status
in one place of the gateway.
"""

from typing import Any, ClassVar

from nkk.sop.faults import Fault


def slug(name: str) -> str:
    """Return the name of a class in small letters, with hyphens between its words."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


class Refused(Exception):
    """A command was understood and refused; nothing changed.

    `code` says what is wrong: one of `codes`, the first of them where none is named. `details` are JSON values, such as
    `stands` (what the complaint's state is now) or `fields` (field name -> list of `nkk.sop.faults`), and never carry a
    person's own words.
    """

    also: ClassVar[tuple[str, ...]] = ()
    """Codes of the class besides that of its name."""

    codes: ClassVar[tuple[str, ...]] = ("refused",)

    def __init_subclass__(cls) -> None:
        cls.codes = (slug(cls.__name__), *cls.__dict__.get("also", ()))

    def __init__(self, details: dict[str, Any] | None = None, code: str | None = None) -> None:
        self.details = details or {}
        self.code = code or self.codes[0]
        if self.code not in self.codes:
            raise ValueError(f"{self.code} is no code of {type(self).__name__}")
        super().__init__(self.details, self.code)

    def __str__(self) -> str:
        return self.code


class InvalidInput(Refused):
    """One or more fields are wrong; `details["fields"]` names each with its faults."""

    also = ("no-instant",)

    @classmethod
    def of(cls, **fields: Fault) -> "InvalidInput":
        """Return the refusal of `fields`, one fault each."""
        return cls({"fields": {name: [fault] for name, fault in fields.items()}})


class NotAuthenticated(Refused):
    """Nobody is logged in, or the access token is expired, forged or not for this service."""

    also = ("invalid-token", "expired-token", "session-ended", "wrong-credentials")


class NotYourRole(Refused):
    """The actor is known, but this act belongs to another role."""

    also = ("role-of-operation", "role-of-document")


class UnknownTicket(Refused):
    """No such complaint for this actor: an unknown ticket and somebody else's look the same."""


class NotYourStep(Refused):
    """The complaint does not stand at the step this act belongs to; `details["stands"]` says where it stands."""

    also = ("awaits-no-response", "not-to-be-answered-yet")


class AlreadyDone(Refused):
    """The step was done before; nothing changed. `details["stands"]` says where the complaint stands now."""
