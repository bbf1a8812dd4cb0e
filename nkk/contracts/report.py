"""The schemas of a `Report`: the form that its reporter fills in, and the view of those who work on it."""

from typing import Any, ClassVar

from marshmallow import Schema, fields
from marshmallow.fields import Field

from nkk.contracts.fields import Line, PlainText, Slug
from nkk.sop.report import FIELDS, Kind, Words


def written_field(words: Words, **options: Any) -> Field[Any]:
    """Return the form field for `words`."""
    if words.description:
        options["metadata"] = {"description": words.description}
    if words.kind is Kind.KEY:
        return Slug(**options)
    return (PlainText if words.kind is Kind.TEXT else Line)(words.length, **options)


class ReportForm(Schema):
    """The form of a report. Optional fields may be missing or None."""

    class Meta:
        include: ClassVar = {
            name: written_field(words, **({"allow_none": True} if optional else {"required": True}))
            for name, words, optional in FIELDS
        }


class ReportView(Schema):
    """The view of a report."""

    class Meta:
        include: ClassVar = {name: fields.String(allow_none=optional) for name, words, optional in FIELDS}
