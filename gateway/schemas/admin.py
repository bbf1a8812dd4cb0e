"""The schemas of what an admin maintains: staff, catalogue and roster, teams."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields
from webargs.fields import DelimitedList

from gateway.schemas.accounts import CHARACTERS, Possible
from gateway.schemas.parts import Thorough, one_of
from nkk.contracts.fields import Digits, Length, Line, Mailbox, Password, Regexp, Slug, UserName
from nkk.sop import faults
from nkk.sop.faults import Fault
from nkk.sop.report import NAME_LENGTH
from nkk.sop.steps import STAFF_ROLES, Role

NIP = (
    "The person's NIP, 18 digits. It is kept as a keyed hash, by which complaints about this person are hidden from "
    "the account, and is shown to nobody."
)


class NewStaff(Possible, Thorough):
    """A staff account to add."""

    username = UserName(64, required=True)
    name = Line(NAME_LENGTH, required=True)
    role = fields.String(required=True, validate=one_of(*STAFF_ROLES))
    opd = Slug(allow_none=True)
    nip = Digits(allow_none=True, validate=Length(1, 32), metadata={"description": NIP})
    password = Password(required=True, metadata={"description": CHARACTERS})

    def also_wrong(self, valid: dict[str, Any], lists: Mapping[str, Any]) -> dict[str, Fault]:
        """Return the fault of an OPD that does not match the role, as intake would."""
        opd, role = valid.get("opd"), valid.get("role")
        if role == Role.OPD_TEAM and (opd is None or (lists["opds"] and opd not in lists["opds"])):
            return {"opd": faults.TEAM_WITHOUT_OPD()}
        if role in STAFF_ROLES and role != Role.OPD_TEAM and opd is not None:
            return {"opd": faults.OPD_WITHOUT_TEAM()}
        return {}


class StaffNip(Possible):
    """The NIP of a staff account's person; null removes it."""

    nip = Digits(required=True, allow_none=True, validate=Length(1, 32), metadata={"description": NIP})


class NewPassword(Schema):
    """A new password for a staff account."""

    password = Password(required=True, metadata={"description": CHARACTERS})


class Staff(Schema):
    """A staff account."""

    username = fields.String(required=True)
    name = fields.String(required=True)
    role = fields.String(required=True)
    opd = fields.String(allow_none=True)
    has_nip = fields.Boolean(metadata={"description": "Whether the person's NIP was entered."})
    disabled_at = fields.String(allow_none=True)
    locked_until = fields.String(
        allow_none=True,
        metadata={
            "description": "The end of the slow-down of all unknown devices, which starts when wrong passwords come "
            "from many addresses."
        },
    )
    slowed_until = fields.String(
        allow_none=True,
        metadata={"description": "The end of the last slow-down after too many wrong passwords for this account."},
    )
    slowed_sources = fields.Integer(
        metadata={"description": "The number of addresses, devices and sessions that are slowed down."}
    )


class StaffIds(Schema):
    """The staff members whose names are requested."""

    ids = DelimitedList(
        fields.String(validate=Regexp(r"^[A-Za-z0-9-]{1,36}\Z")),
        required=True,
        validate=Length(1, 200),
        error_messages={"invalid": [faults.NOT_A(wanted="delimited list")]},
        metadata={"description": "The staff ids, separated by commas."},
    )


class StaffNames(Schema):
    """Names of staff by id; unknown ids are left out."""

    names = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class StaffListing(Schema):
    """A page of the staff accounts."""

    items = fields.List(fields.Nested(Staff), required=True)
    next = fields.String(allow_none=True, required=True)


class CategoryHead(Schema):
    """A category's name, and the rule it rests on."""

    name = Line(NAME_LENGTH, required=True)
    source = Line(NAME_LENGTH, least=0)


class CategoryRow(CategoryHead):
    """A new category, with its key."""

    key = Slug(required=True)


class CatalogueCategory(CategoryHead):
    """A category; its sub-categories by key."""

    sub_categories = fields.Dict(keys=Slug(), values=Line(NAME_LENGTH), required=True)


class Catalogue(Schema):
    """Categories and agencies by key; each list that is given is replaced as a whole."""

    categories = fields.Dict(keys=Slug(), values=fields.Nested(CatalogueCategory))
    opds = fields.Dict(keys=Slug(), values=Line(NAME_LENGTH))
    inspectorate = Slug(
        metadata={
            "description": "The agency of the roster that is offered first where the accused may sit in the team of "
            "their own."
        }
    )


class Removed(Schema):
    """What a replacement removed, by key."""

    categories = fields.List(fields.String(), required=True)
    sub_categories = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The removed sub-categories, each as `category/sub-category`."},
    )
    opds = fields.List(fields.String(), required=True)


class ReplacedCatalogue(Catalogue):
    """The categories and agencies after a replacement, and what it removed."""

    removed = fields.Nested(Removed, required=True)


class TeamAddress(Schema):
    """The e-mail address of a team, and of the superior who gets its overdue alarms."""

    email = Mailbox(required=True, error_messages={"required": [faults.SUPERIOR_ALONE()]})
    superior_email = Mailbox(allow_none=True)


class Teams(Schema):
    """The addresses of the teams: `opd_team` by OPD. A team without an address is sent nothing."""

    operator = fields.Nested(TeamAddress)
    main_team = fields.Nested(TeamAddress)
    opd_team = fields.Dict(keys=Slug(), values=fields.Nested(TeamAddress))
