"""Refusals: named errors with a code and parameters, for which the API and the site each have their sentences.

A refusal changes nothing. It is sent as its class name, code and details, and one place in the gateway maps it to an
HTTP status.
"""

from typing import Any, ClassVar

from nkk.sop.faults import Fault


def slug(name: str) -> str:
    """Return a class name in lower case, with hyphens between its words."""
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("-")


class Refused(Exception):
    """A command was understood and refused; nothing changed.

    `code` says what is wrong: one of `codes`, by default the first. `details` are JSON values, such as `stands` (the
    complaint's current state) or `fields` (field name -> list of `nkk.sop.faults`), and never carry a person's own
    words.
    """

    also: ClassVar[tuple[str, ...]] = ()
    """Further codes of the class, besides the one made from its name."""

    codes: ClassVar[tuple[str, ...]] = ("refused",)

    def __init_subclass__(cls) -> None:
        cls.codes = (slug(cls.__name__), *cls.__dict__.get("also", ()))

    def __init__(self, details: dict[str, Any] | None = None, code: str | None = None) -> None:
        self.details = details or {}
        self.code = code or self.codes[0]
        if self.code not in self.codes:
            raise ValueError(f"{self.code} is not a code of {type(self).__name__}")
        super().__init__(self.details, self.code)

    def __str__(self) -> str:
        return self.code


class InvalidInput(Refused):
    """One or more fields are wrong; `details["fields"]` names each with its faults."""

    also = ("no-instant",)

    @classmethod
    def of(cls, **fields: Fault) -> "InvalidInput":
        """Return a refusal of `fields`, with one fault each."""
        return cls({"fields": {name: [fault] for name, fault in fields.items()}})


class NotAuthenticated(Refused):
    """The caller is not logged in, or the access token is expired, forged or not for this service."""

    also = ("invalid-token", "expired-token", "session-ended", "wrong-credentials")


class NotYourRole(Refused):
    """The actor is logged in, but this operation belongs to another role."""

    also = ("role-of-operation", "role-of-document")


class UnknownTicket(Refused):
    """There is no such complaint for this actor: an unknown ticket and another person's ticket look the same."""


class NotYourStep(Refused):
    """The complaint is not at the step that this operation belongs to; `details["stands"]` is its state."""

    also = ("awaits-no-response", "not-to-be-answered-yet")


class AlreadyDone(Refused):
    """The step was done before; nothing changed. `details["stands"]` is the complaint's current state."""
