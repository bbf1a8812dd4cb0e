"""The events of a complaint's journey, as notification keeps them, and who reads their notes."""

from dataclasses import dataclass
from datetime import datetime

from nkk.sop.journey import ABANDONED, CONCLUDED, DECLINED, GRANTED, REQUESTED, SHARED, Fact
from nkk.sop.steps import Role

NOTES_FOR = {
    "complaint.classified_as_information.v1": Role.OPERATOR,
    "complaint.forwarded.v1": Role.OPD_TEAM,
    "response.returned.v1": Role.OPD_TEAM,
    "response.approved.v1": Role.OPERATOR,
    SHARED: Role.OPERATOR,
    CONCLUDED: Role.OPERATOR,
    "complaint.recalled.v1": Role.OPD_TEAM,
    GRANTED: Role.OPD_TEAM,
}
"""The role for which Tim Utama writes the note of an event: that of the desk to which the complaint goes next."""


@dataclass(frozen=True, kw_only=True)
class Entry(Fact):
    """An event of a complaint's journey. `by` is the id of a staff account.

    `responded_at` is when the response came that was shared with a joined report, None where that is not known.
    """

    event_id: str
    ticket: str
    by: str | None = None
    opd: str | None = None
    note: str | None = None
    responded_at: datetime | None = None

    def note_for(self, role: str, group: str | None) -> str | None:
        """Return the note where a reader of this role and group may see it; else None.

        Tim Utama, which writes the notes, sees all, others those written for them: an OPD's team only its own OPD's.
        Why a desk closed a report is for everybody, its reporter first of all.
        """
        if self.type == ABANDONED:
            return self.note
        meant = role == NOTES_FOR.get(self.type) and (role != Role.OPD_TEAM or self.opd == group)
        wrote = self.type in (DECLINED, REQUESTED) and role == Role.OPD_TEAM and self.opd == group
        return self.note if meant or wrote or role == Role.MAIN_TEAM else None


@dataclass(frozen=True, kw_only=True)
class Addition:
    """What happened in a complaint's journey besides its steps; `files` is how many came with it."""

    event_id: str
    ticket: str
    type: str
    at: datetime
    files: int = 0
