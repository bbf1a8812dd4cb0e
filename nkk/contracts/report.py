"""How a `Report` crosses the wire: as its reporter fills it in, and as those read it who work from it."""

from typing import Any, ClassVar

from marshmallow import Schema, fields
from marshmallow.fields import Field

from nkk.contracts.fields import Line, PlainText, Slug
from nkk.sop.report import FIELDS, Kind, Words


def written_field(words: Words, **options: Any) -> Field[Any]:
    """Return the field that takes `words` from a person."""
    if words.description:
        options["metadata"] = {"description": words.description}
    if words.kind is Kind.KEY:
        return Slug(**options)
    return (PlainText if words.kind is Kind.TEXT else Line)(words.length, **options)


class ReportForm(Schema):
    """What the reporter writes. What may be left out may be None too."""

    class Meta:
        include: ClassVar = {
            name: written_field(words, **({"allow_none": True} if optional else {"required": True}))
            for name, words, optional in FIELDS
        }


class ReportView(Schema):
    """What the reporter wrote."""

    class Meta:
        include: ClassVar = {name: fields.String(allow_none=optional) for name, words, optional in FIELDS}
