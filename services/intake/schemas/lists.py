"""Schemas of what an admin maintains: the catalogue and the calendars."""

from typing import Any

from marshmallow import Schema, fields, post_load

from nkk.contracts.fields import (
    Instant,
    Line,
    Range,
    Slug,
    Some,
    names_apart,
)
from nkk.sop.report import NAME_LENGTH


class Category(Schema):
    """A category of the catalogue, with the names of its sub-categories by key."""

    name = Line(NAME_LENGTH, required=True)
    source = Line(NAME_LENGTH, least=0, load_default="")
    sub_categories = fields.Dict(
        keys=Slug(), values=Line(NAME_LENGTH), required=True, validate=[Some(100), names_apart]
    )


class Catalogue(Schema):
    """The catalogue and the roster; each of them that is given replaces the existing one entirely."""

    categories = fields.Dict(
        keys=Slug(),
        values=fields.Nested(Category),
        validate=[
            Some(100),
            lambda rows: names_apart({key: category["name"] for key, category in rows.items()}),
        ],
    )
    opds = fields.Dict(keys=Slug(), values=Line(NAME_LENGTH), validate=[Some(500), names_apart])
    inspectorate = Slug()


class VersionPage(Schema):
    """The requested page of calendar versions: those below `cursor`."""

    cursor = fields.Integer(allow_none=True, validate=Range(1, 1_000_000))
    limit = fields.Integer(allow_none=True, validate=Range(1, 200))

    @post_load
    def _defaults(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {"cursor": data.get("cursor") or 1_000_001, "limit": data.get("limit") or 50}


class CalendarListed(Schema):
    """A version of the calendar in the list of versions."""

    version = fields.Integer()
    changed_at = Instant()
    changed_by = fields.String()


class CalendarView(CalendarListed):
    """A version of the calendar with its content."""

    calendar = fields.Dict(attribute="content")
