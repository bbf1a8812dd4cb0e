"""The field types of events, RPC and the gateway's JSON."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, cast

from marshmallow import Schema, ValidationError, fields, validate

from nkk.sop import faults, text
from nkk.sop.calendar import read_calendar
from nkk.sop.clock import is_reasonable, write_day, write_instant
from nkk.sop.faults import Fault
from nkk.sop.mailbox import LONGEST, NoMailboxError, read_mailbox
from nkk.sop.refusals import InvalidInput
from nkk.sop.ticket import read_ticket

NOTE_LENGTH = 4_000
AS_WRITTEN = 10
"""How many times `length` characters a raw text may have, before normalisation removes invisible characters."""

_PHONE = re.compile(r"\+?[0-9(][0-9 ()./-]{5,28}")
_APART = re.compile(r"[,;/]|\s(?=[+0])")
FEWEST_DIGITS, MOST_DIGITS = 7, 20


# marshmallow's own messages, replaced by fault codes.
fields.Field.default_error_messages |= {
    "required": [faults.MISSING()],
    "null": [faults.NULL()],
    "validator_failed": [faults.INVALID()],
}
fields.String.default_error_messages |= {"invalid": [faults.NOT_A_STRING()]}
fields.Boolean.default_error_messages |= {"invalid": [faults.NOT_A_BOOLEAN()]}
fields.Integer.default_error_messages |= {"invalid": [faults.NOT_A(wanted="integer")]}
fields.List.default_error_messages |= {"invalid": [faults.NOT_A(wanted="list")]}
fields.Mapping.default_error_messages |= {"invalid": [faults.NOT_A(wanted="mapping type")]}
fields.Nested.default_error_messages |= {"type": [faults.NOT_NESTED()]}
Schema.error_messages = cast(dict[str, str], {"type": faults.NOT_AN_OBJECT(), "unknown": faults.UNKNOWN_FIELD()})


class Length(validate.Length):
    """Validator of lengths from `least` (where given) to `most`."""

    def __init__(self, least: int | None = None, most: int | None = None) -> None:
        super().__init__(least, most)

    def __call__(self, value: Any) -> Any:
        fault = (
            faults.TOO_LONG(most=self.max) if self.min is None else faults.WRONG_LENGTH(least=self.min, most=self.max)
        )
        return _checked(super().__call__, value, fault)


class Some(validate.Length):
    """Validator of collections with 1 to `most` items."""

    def __init__(self, most: int) -> None:
        super().__init__(1, most)

    def __call__(self, value: Any) -> Any:
        return _checked(super().__call__, value, faults.TOO_MANY(most=self.max) if value else faults.NONE_LEFT())


class Range(validate.Range):
    """Validator of numbers from `least` to `most`."""

    def __init__(self, least: int, most: int) -> None:
        super().__init__(least, most)

    def __call__(self, value: Any) -> Any:
        return _checked(super().__call__, value, faults.OUT_OF_RANGE(least=self.min, most=self.max))


class OneOf(validate.OneOf):
    """Validator of membership in `choices`."""

    def __init__(self, choices: Iterable[str]) -> None:
        super().__init__([str(choice) for choice in choices])

    def __call__(self, value: Any) -> Any:
        return _checked(super().__call__, value, faults.NOT_ONE_OF(choices=self.choices))


class Regexp(validate.Regexp):
    """Validator of texts that match `pattern`; `kind` is the fault of all others."""

    def __init__(self, pattern: str, kind: faults.Kind = faults.NO_MATCH) -> None:
        super().__init__(pattern)
        self.kind = kind

    def __call__(self, value: Any) -> Any:
        return _checked(super().__call__, value, self.kind())


class _Email(validate.Email):
    def __call__(self, value: Any) -> Any:
        return _checked(super().__call__, value, faults.NO_ADDRESS())


def _checked(check: Callable[[Any], Any], value: Any, fault: Fault) -> Any:
    try:
        return check(value)
    except ValidationError:
        raise ValidationError([fault]) from None


class PlainText(fields.String):
    """A person's words: `least` to `length` characters, normalised by `nkk.sop.text.clean`.

    Accepts any script and emoji, but no lone surrogates. HTML is accepted as text; the code that shows it escapes it.
    A text far longer than `length` is refused before it is normalised, which takes long.
    """

    def __init__(self, length: int, least: int = 1, **kwargs: Any) -> None:
        self.length, self.least = length, least
        super().__init__(validate=Length(least, length), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        written = super()._deserialize(value, attr, data, **kwargs)
        if not text.is_text(written):
            raise ValidationError([faults.HALF_EMOJI()])
        if len(written.strip()) > AS_WRITTEN * self.length:
            raise ValidationError([faults.WRONG_LENGTH(least=self.least, most=self.length)])
        cleaned = self._clean(written)
        if self.least and text.is_empty(cleaned):
            raise ValidationError([faults.EMPTY()])
        return cleaned

    _clean = staticmethod(text.clean)


class Line(PlainText):
    """A name or a subject line, normalised to one line without invisible characters (`nkk.sop.text.one_line`)."""

    _clean = staticmethod(text.one_line)


class UserName(Line):
    """A user name, normalised by `nkk.sop.text.user_name`."""

    _clean = staticmethod(text.user_name)


def names_apart(names: Mapping[str, str]) -> None:
    """Raise ValidationError, naming the two keys, where people would take two of `names` (by key) for the same."""
    keys: dict[str, str] = {}
    for key, name in names.items():
        other = keys.setdefault(text.alike(name), key)
        if other != key:
            raise ValidationError([faults.SAME_NAME(one=other, other=key)])


class Digits(fields.String):
    """A number, whose label and separators (spaces, dots, hyphens) are removed (`nkk.sop.text.digits`)."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return text.digits(super()._deserialize(value, attr, data, **kwargs))


class Phone(fields.String):
    """A telephone number, kept as written: digits, with spaces, hyphens, dots, slashes and brackets between them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        number = text.code(super()._deserialize(value, attr, data, **kwargs)).rstrip(" .,;")
        if fault := _phone_fault(number):
            raise ValidationError([fault])
        return number


def _phone_fault(number: str) -> Fault | None:
    if not number:
        return faults.PHONE_EMPTY()
    if any(sign.isalpha() for sign in number):
        return faults.PHONE_WITH_WORDS()
    if sum(_digits(part) >= FEWEST_DIGITS for part in _APART.split(number)) > 1:
        return faults.SEVERAL_PHONES()
    if _digits(number) < FEWEST_DIGITS:
        return faults.PHONE_TOO_SHORT(least=FEWEST_DIGITS)
    if _digits(number) > MOST_DIGITS:
        return faults.PHONE_TOO_LONG(most=MOST_DIGITS)
    return None if _PHONE.fullmatch(number) else faults.NO_PHONE()


def _digits(text: str) -> int:
    return sum(sign.isdigit() for sign in text)


class Mailbox(fields.Email):
    """An e-mail address that letters can be sent to, parsed by `nkk.sop.mailbox`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.validators = [_Email(), Length(most=LONGEST)]
        self.error_messages |= {"invalid": [faults.NO_ADDRESS()]}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            return read_mailbox(super()._deserialize(value, attr, data, **kwargs))
        except NoMailboxError as error:
            raise ValidationError([error.fault]) from None


class Secret(fields.String):
    """A password or token of 1 to `length` characters, kept exactly as typed."""

    def __init__(self, length: int = 1_000, **kwargs: Any) -> None:
        self.length = length
        super().__init__(validate=Length(1, length), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        written = super()._deserialize(value, attr, data, **kwargs)
        if not text.is_text(written) or "\x00" in written:
            raise ValidationError([faults.NO_TEXT()])
        return cast(str, Length(1, self.length)(written))


class Password(Secret):
    """A new password, normalised by `nkk.sop.text.password`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        return text.password(super()._deserialize(value, attr, data, **kwargs))


class Ticket(fields.String):
    """A ticket, normalised by `nkk.sop.ticket.read_ticket`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        ticket = read_ticket(super()._deserialize(value, attr, data, **kwargs))
        if ticket is None:
            raise ValidationError([faults.NO_TICKET()])
        return ticket


class Slug(fields.String):
    """A key of the catalogue or the roster: lower-case letters, digits and hyphens."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=Regexp(r"^[a-z0-9][a-z0-9-]{0,63}\Z", faults.NO_KEY), **kwargs)


class Instant(fields.AwareDateTime):
    """An aware instant between 2000 and 2199, written in UTC with microseconds (RFC 3339)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        instant = super()._deserialize(value, attr, data, **kwargs)
        if not is_reasonable(instant):
            raise ValidationError([faults.WRONG_YEARS(least=2000, most=2199)])
        return instant

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else write_instant(value)


class Happened(Instant):
    """The time of a fact in an event: never in the future, within the tolerance for clocks (envelope.AHEAD)."""


class Day(Instant):
    """An instant that is shown to the day only (WIB); see `nkk.sop.steps.BY_DAY`."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else write_day(value)


class Calendar(fields.Dict):
    """A calendar in the JSON form of `nkk.sop.calendar`: validated, and kept unchanged."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:
        content = super()._deserialize(value, attr, data, **kwargs)
        try:
            read_calendar(content)
        except InvalidInput as refusal:
            raise ValidationError(refusal.details["fields"]) from None
        return content
