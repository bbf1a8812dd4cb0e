"""The report: what its reporter writes once, identical at every desk.

`Report` is the only list of its fields: the columns, the form and the view are made from it.
"""

from dataclasses import dataclass, fields
from enum import Enum
from types import NoneType
from typing import Annotated, Any, NamedTuple, get_args, get_type_hints

KEY_LENGTH = 64
SUBJECT_LENGTH = 200
NAME_LENGTH = 150
TEXT_LENGTH = 20_000


class Kind(Enum):
    """The kind of a field's text: a key of the catalogue or the roster, one line, or several lines."""

    KEY = "key"
    LINE = "line"
    TEXT = "text"


class Words(NamedTuple):
    """The constraints of a field: the kind of its text, and its greatest `length` in characters."""

    kind: Kind
    length: int
    description: str | None = None


Key = Annotated[str, Words(Kind.KEY, KEY_LENGTH)]
Subject = Annotated[str, Words(Kind.LINE, SUBJECT_LENGTH)]
Text = Annotated[str, Words(Kind.TEXT, TEXT_LENGTH)]
Name = Annotated[str, Words(Kind.LINE, NAME_LENGTH)]
Moment = Annotated[str, Words(Kind.LINE, NAME_LENGTH, "When it happened, in the reporter's words.")]


@dataclass(kw_only=True)
class Report:
    """The fields of Form Pengaduan that every desk works with. Those that may be None are optional."""

    category: Key
    sub_category: Key
    subject_line: Subject
    text: Text
    place: Name | None
    happened_on: Moment | None
    accused_name: Name | None
    accused_position: Name | None
    accused_opd: Key | None


class Field(NamedTuple):
    """The name and the constraints of a field of `Report`."""

    name: str
    words: Words
    optional: bool


def _field(name: str, hint: Any) -> Field:
    options = [option for option in get_args(hint) if option is not NoneType]
    optional = NoneType in get_args(hint)
    (words,) = (options[0] if optional else hint).__metadata__
    return Field(name, words, optional)


_hints = get_type_hints(Report, include_extras=True)
FIELDS = tuple(_field(field.name, _hints[field.name]) for field in fields(Report))
"""The fields in the order of the form."""

WRITTEN = tuple(field.name for field in FIELDS)
"""The names of the fields, in the order of the form."""


def written(told: Any) -> dict[str, Any]:
    """Return the report's fields from `told`, an event or a case with an attribute of each name."""
    return {name: getattr(told, name) for name in WRITTEN}
