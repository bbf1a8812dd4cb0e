"""The field types that the wire uses, in events, in RPC and in the gateway's JSON alike."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import ValidationError, fields, validate

from nkk.sop import text
from nkk.sop.calendar import read_calendar
from nkk.sop.clock import is_reasonable, write_day, write_instant
from nkk.sop.mailbox import LONGEST, read_mailbox
from nkk.sop.refusals import InvalidInput
from nkk.sop.ticket import read_ticket

NOTE_LENGTH = 4_000

_PHONE = re.compile(r"\+?[0-9(][0-9 ()./-]{5,28}")
_APART = re.compile(r"[,;/]|\s(?=[+0])")
FEWEST_DIGITS, MOST_DIGITS = 7, 20


class PlainText(fields.String):
    """A person's words: `least` to `length` characters, as `nkk.sop.text.clean` gives them.

    Any script, emoji included; half an emoji (a lone surrogate) is refused. HTML is text like any other; whoever shows
    it escapes it.
    """

    def __init__(self, length: int, least: int = 1, **kwargs: Any) -> None:
        self.length, self.least = length, least
        super().__init__(validate=validate.Length(least, length), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        written = super()._deserialize(value, attr, data, **kwargs)
        if not text.is_text(written):
            raise ValidationError("Contains characters that are no text (half an emoji).")
        cleaned = self._clean(written)
        if self.least and text.is_empty(cleaned):
            raise ValidationError("Write something here: it is empty.")
        return cleaned

    _clean = staticmethod(text.clean)


class Line(PlainText):
    """A name, a subject line: on one line and without signs that nobody sees (`nkk.sop.text.one_line`)."""

    _clean = staticmethod(text.one_line)


class UserName(Line):
    """A user name of an account, in its one form (`nkk.sop.text.user_name`)."""

    _clean = staticmethod(text.user_name)


def names_apart(names: Mapping[str, str]) -> None:
    """Refuse names by key of which people would take two for one. Raises ValidationError, which says which."""
    keys: dict[str, str] = {}
    for key, name in names.items():
        other = keys.setdefault(text.alike(name), key)
        if other != key:
            raise ValidationError(f"The same name stands under {other} and {key}. Give each its own.")


class Digits(fields.String):
    """A number as it is written, with spaces, dots or hyphens between its digits: without them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return text.digits(super()._deserialize(value, attr, data, **kwargs))


class Phone(fields.String):
    """A telephone number as it is written: digits, with spaces, hyphens, dots, slashes and brackets between them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        number = text.code(super()._deserialize(value, attr, data, **kwargs)).rstrip(" .,;")
        if problem := _phone_problem(number):
            raise ValidationError(problem)
        return number


def _phone_problem(number: str) -> str | None:
    if not number:
        return "Leave it out where there is no number."
    if any(sign.isalpha() for sign in number):
        return "The number alone, without words and extensions."
    if sum(_digits(part) >= FEWEST_DIGITS for part in _APART.split(number)) > 1:
        return "One number only."
    if _digits(number) < FEWEST_DIGITS:
        return f"Too short: at least {FEWEST_DIGITS} digits, with the area code."
    if _digits(number) > MOST_DIGITS:
        return f"Too long: at most {MOST_DIGITS} digits."
    return None if _PHONE.fullmatch(number) else "Digits, with + in front where needed."


def _digits(text: str) -> int:
    return sum(sign.isdigit() for sign in text)


class Mailbox(fields.Email):
    """An e-mail address that our letters can go to, as `nkk.sop.mailbox` reads it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(max=LONGEST), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            return read_mailbox(super()._deserialize(value, attr, data, **kwargs))
        except ValueError as refusal:
            raise ValidationError(str(refusal)) from None


class Secret(fields.String):
    """A password or token: kept exactly as typed; 1 to `length` characters."""

    def __init__(self, length: int = 1_000, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(1, length), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        written = super()._deserialize(value, attr, data, **kwargs)
        if not text.is_text(written) or "\x00" in written:
            raise ValidationError("Contains characters that are no text.")
        return written


class Password(Secret):
    """A password to be, in its one form (`nkk.sop.text.password`)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return text.password(super()._deserialize(value, attr, data, **kwargs))


class Ticket(fields.String):
    """A ticket, in its one written form."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        ticket = read_ticket(super()._deserialize(value, attr, data, **kwargs))
        if ticket is None:
            raise ValidationError("Not a ticket. It reads like NKK-2026-XXXX-XXXX.")
        return ticket


class Slug(fields.String):
    """A key of the catalogue or the roster: small letters, digits and hyphens."""

    def __init__(self, **kwargs: Any) -> None:
        pattern = validate.Regexp(r"^[a-z0-9][a-z0-9-]{0,63}\Z", error="Small letters, digits and hyphens only.")
        super().__init__(validate=pattern, **kwargs)


class Instant(fields.AwareDateTime):
    """An aware instant, written in UTC with microseconds (RFC 3339); none before 2000 or after 2199."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        instant = super()._deserialize(value, attr, data, **kwargs)
        if not is_reasonable(instant):
            raise ValidationError("Between the years 2000 and 2199.")
        return instant

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else write_instant(value)


class Happened(Instant):
    """When something came about that an event tells of: never in the future, but for clocks that do not quite agree."""


class Day(Instant):
    """An instant of which its readers are told the day alone (WIB); see `nkk.sop.steps.BY_DAY`."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else write_day(value)


class Calendar(fields.Dict):
    """A calendar as `nkk.sop.calendar` writes it down: kept as it is, after reading it once to see that it will do."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:
        content = super()._deserialize(value, attr, data, **kwargs)
        try:
            read_calendar(content)
        except InvalidInput as refusal:
            raise ValidationError(refusal.details["fields"]) from None
        return content
