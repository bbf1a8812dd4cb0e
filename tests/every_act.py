"""Every act of `nkk.sop.acts` by the people of a House: how it is carried out, and to whom a stage offers it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from nkk.contracts import STAGES
from nkk.settings.keys import as_pem
from nkk.sop import journey
from nkk.sop.acts import RULES, Act, Rule
from nkk.sop.steps import Role
from nkk.trust.actor import Actor, Caller, sign
from ops.stack.keys import new_keys
from tests.builders import complaint_form, own_upload, upload
from tests.chaos.accountant import effects
from tests.stages import MAIN_TEAM, OPD, OPD_TEAM, OPERATOR, REPORTER, STORAGES, House

OTHER_OPD = "inspektorat"
PEOPLE = {
    "owner": REPORTER,
    "other reporter": Actor("reporter-2", "reporter"),
    "operator": OPERATOR,
    "Tim Utama": MAIN_TEAM,
    "OPD": OPD_TEAM,
    "other OPD": Actor("staff-other", "opd_team", OTHER_OPD),
}
WHY = "Alasan tertulis."
FIRST = "the ticket of another report, which nobody acts on"
NOTED, ADDED = "report.added_to.v1", "report.supplemented.v1"


@dataclass(frozen=True)
class Way:
    """One command that carries out an act: its arguments after the ticket, and the events that it may publish.

    A function among the arguments returns one: files, of which each is sent once, or the number of a question.
    """

    command: str
    args: tuple[Any, ...] = ()
    told: tuple[str, ...] = ()


WAYS: dict[Act, tuple[Way, ...]] = {
    Act.HAND_OVER: (Way("hand_over", told=(effects.HANDED_OVER,)),),
    Act.CLASSIFY: (
        Way("classify_as_information", ("Jawab langsung.",), (effects.INFORMATION,)),
        Way("forward", (OPD, None), (effects.FORWARDED,)),
        Way("forward", (OTHER_OPD, None), (effects.FORWARDED,)),
    ),
    Act.RESPOND: (
        Way("respond", ("Sudah.",), ("response.submitted.v1",)),
        Way("respond", ("Sudah.", lambda *_: [upload()]), ("response.submitted.v1",)),
    ),
    Act.APPROVE: (
        Way("approve", (None,), ("response.approved.v1",)),
        Way("return_response", ("Uraikan.",), (effects.RETURNED,)),
    ),
    Act.ANSWER: (Way("send_answer", ("Terima kasih.",), (journey.ANSWERED,)),),
    Act.CONFIRM: (Way("confirm_receipt", told=(journey.CLOSED,)),),
    Act.SUPPLEMENT: (Way("supplement", (lambda *_: [own_upload()],), (NOTED, ADDED)),),
    Act.WITHDRAW: (Way("withdraw", (WHY,), (journey.WITHDRAWN,)),),
    Act.KEEP: (Way("keep", (WHY,), (journey.KEPT,)),),
    Act.DECLINE: (Way("decline", (WHY, OTHER_OPD), (journey.DECLINED,)),),
    Act.RECALL: (Way("recall", (WHY,), (journey.RECALLED,)),),
    Act.REQUEST_TIME: (Way("request_time", (5, WHY), (journey.REQUESTED,)),),
    Act.GRANT_TIME: (
        Way("grant_time", (3, None), (journey.GRANTED,)),
        Way("grant_time", (0, WHY), (journey.GRANTED,)),
    ),
    Act.GATHER: (
        Way("gather", (OPD, None), (journey.GATHERED, effects.FORWARDED)),
        Way("gather", (OTHER_OPD, None), (journey.GATHERED, effects.FORWARDED)),
    ),
    Act.CONCLUDE: (Way("conclude", (None,), (journey.CONCLUDED,)),),
    # Whoever stepped aside from one of them sees the other no more.
    Act.JOIN: (Way("join", (FIRST, WHY), (journey.JOINED, "case.recused.v1")),),
    Act.PART: (Way("part", (WHY,), (journey.PARTED,)),),
    Act.RECLASSIFY: (Way("send_back", (WHY,), (journey.RETURNED,)),),
    Act.OBJECT: (Way("object_to", (WHY,), (journey.CLOSED, journey.REOPENED)),),
    Act.RATE: (Way("rate", (4, None), (effects.RATED,)),),
    Act.ASK: (Way("ask", (WHY,), ("question.asked.v1",)),),
    Act.ABANDON: (Way("abandon", (WHY,), (journey.ABANDONED, journey.PARTED)),),
    Act.ANSWER_QUESTION: (
        Way(
            "answer_question",
            (lambda acting, ticket: acting.question(ticket), "Hari Selasa."),
            ("question.answered.v1",),
        ),
    ),
    Act.NOTE: (Way("add_note", ("Catatan.",)),),
    Act.RECUSE: (Way("recuse", (WHY,), ("case.recused.v1",)),),
}
"""How each act is carried out. An act that the table gets is added here."""

ATTEMPTS = [(each, way) for each in RULES for way in WAYS.get(each.act, ())]
KEYS = new_keys()


class Acting:
    """The people of a House, and what each of them may do."""

    house: House

    def possible(self, ticket: str) -> list[tuple[tuple[Rule, Way], str]]:
        """Return everything that anybody is offered, as ((rule, way), who)."""
        offered = {(stage, who): self.offered(ticket, stage, who) for stage in STAGES for who in PEOPLE}
        return [
            (attempt, who)
            for attempt in ATTEMPTS
            for who in PEOPLE
            if PEOPLE[who].role == attempt[0].role and attempt[0].act in offered[attempt[0].stage, who]
        ]

    def carry_out(self, ticket: str, attempt: tuple[Rule, Way], who: str) -> Any:
        """Carry out an act."""
        tried, way = attempt
        args = [self.first() if each == FIRST else each(self, ticket) if callable(each) else each for each in way.args]
        return self.told_to(tried.stage, way.command, who, ticket, *args)

    def first(self) -> str:
        """Return the ticket of another report at Tim Utama's desk, which nobody acts on."""
        with self.house.databases["triage"].reading() as connection:
            cases = STORAGES["triage"].cases
            known = connection.execute(select(cases.c.ticket).where(cases.c.subject_line == FIRST)).scalar()
        if known is not None:
            return str(known)
        told = len(self.house.told)
        ticket: str = self.house.do("intake", "submit", REPORTER, complaint_form(subject_line=FIRST))["ticket"]
        self.house.do("intake", "hand_over", OPERATOR, ticket)
        handed_over = self.house.told[-1][1]
        self.house.waiting = [each for each in self.house.waiting if each != ("triage", handed_over)]
        self.house.deliver_one("triage", handed_over)
        self.house.told = self.house.told[:told]
        return ticket

    def offered(self, ticket: str, stage: str, who: str) -> list[str]:
        """Return the acts that the stage says are possible for `who`."""
        case, actor = self.case(ticket, stage, who), PEOPLE[who]
        answers = self.answers(ticket) if (stage, who) == ("notification", "owner") else []
        if case is None or not self.is_for(stage, who) or self.has_stepped_aside(ticket, stage, who):
            return answers
        if stage in ("triage", "opd_response"):
            return case.acts() if actor.role in (Role.MAIN_TEAM, Role.OPD_TEAM) else []
        calendar = self.house.services[stage].calendars.get(case.calendar)
        return [*case.acts(actor.role, self.house.now, calendar), *answers]

    def answers(self, ticket: str) -> list[str]:
        """Return the reporter's act of answering a question, where the complaint has one."""
        return [Act.ANSWER_QUESTION] if self._open_questions(ticket) else []

    def question(self, ticket: str) -> int:
        """Return the number of a question that waits for its answer; 1 where none does."""
        return next((asked.number for asked in self._open_questions(ticket)), 1)

    def _open_questions(self, ticket: str) -> list[Any]:
        notification = self.house.services["notification"]
        with notification.uow.reading() as work:
            (way,) = work.journeys.of([ticket]) or (None,)
        return way.open_questions(self.house.now, notification.calendars.get) if way else []

    def has_stepped_aside(self, ticket: str, stage: str, who: str) -> bool:
        """Return whether the stage hides the case from `who`."""
        recusals = STORAGES[stage].recusals
        with self.house.databases[stage].reading() as connection:
            of = select(recusals).where(recusals.c.ticket == ticket, recusals.c.whom == PEOPLE[who].id)
            return connection.execute(of).first() is not None

    def is_for(self, stage: str, who: str) -> bool:
        """Return whether cases at the stage are of `who`: a reporter's own, or those of the desk."""
        roles = {"triage": Role.MAIN_TEAM, "opd_response": Role.OPD_TEAM}
        actor = PEOPLE[who]
        if actor.role == Role.REPORTER:
            return who == "owner" and stage in ("intake", "notification")
        return actor.role == roles.get(stage, Role.OPERATOR)

    def state(self, ticket: str, stage: str, who: str, act: Act | None = None) -> str | None:
        if act == Act.ANSWER_QUESTION:
            with self.house.services[stage].uow.reading() as work:
                ways = work.journeys.of([ticket])
            return ways[0].stands()["state"] if ways and who == "owner" else None
        case = self.case(ticket, stage, who)
        return case.stands()["state"] if case else None

    def case(self, ticket: str, stage: str, who: str) -> Any:
        """Return the row of a stage that an act of `who` is about; None where there is none."""
        rows = sorted(self.house.held(stage, [ticket]), key=lambda row: row.about_forwarding)
        if stage == "opd_response":
            rows = [row for row in rows if row.team_opd == PEOPLE[who].group]
        return rows[-1] if rows else None

    def told_to(self, stage: str, command: str, who: str, *args: Any) -> Any:
        """Call a stage with the token of `who`; return the result."""
        service = self.house.services[stage]
        token, _ = sign(PEOPLE[who], as_pem(KEYS["NKK_TOKEN_SIGNING_KEY"]))
        service.caller = Caller(token, as_pem(KEYS["NKK_TOKEN_PUBLIC_KEY"]))
        given = getattr(service, command)(*args)
        self.house.collect(stage)
        return given
