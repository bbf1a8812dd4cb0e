"""A report about somebody at a desk: to that person's accounts it is as one that never was, at every stage."""

from typing import Any

import pytest
from sqlalchemy import select

from nkk.contracts import EventData
from nkk.contracts.events import ComplaintForwarded, ComplaintHandedOver, ComplaintSubmitted
from nkk.sop.files import UnknownFile
from nkk.sop.refusals import InvalidInput, UnknownTicket
from nkk.trust.actor import Actor
from nkk.trust.sealing import IDS, seal
from services.intake.domain import IdempotencyKeyReused
from tests.builders import REPORT
from tests.stages import MAIN_TEAM, OPD, OPD_TEAM, OPERATOR, PUBLIC_KEY, REPORTER, STORAGES, VAULT, House
from tests.unseen import CALLS, COLLEAGUES, DESKS, NEVER, everywhere, refusal

NIP = "198503122010011003"
OTHER_NIP = "199004052015022001"
BARRED = VAULT.barred(NIP)
INSPECTORATE = "inspektorat"
WHY = "Terlapor sudah pindah; tim yang baru tidak berhubungan dengannya."


def sealed(nip: str) -> str:
    return seal({"nip": nip}, PUBLIC_KEY, IDS)


def about(nip: str = NIP, **changed: Any) -> dict[str, Any]:
    """Return a report about the person with this NIP, as the gateway sends it."""
    return REPORT | {"accused_nip": sealed(nip)} | changed


def accused(actor: Actor, nip: str = NIP) -> Actor:
    """Return an account of the same desk whose person has this NIP."""
    return Actor(f"{actor.id}-terlapor", actor.role, actor.group, barred=VAULT.barred(nip))


def handed_over(stages: House, report: dict[str, Any]) -> str:
    ticket: str = stages.do("intake", "submit", REPORTER, report)["ticket"]
    stages.settle()
    stages.do("intake", "hand_over", OPERATOR, ticket)
    stages.settle()
    return ticket


@pytest.mark.parametrize(("stage", "method"), CALLS, ids=[f"{stage}.{method}" for stage, method in CALLS])
def test_to_the_accused_a_case_is_as_one_that_never_was(stages: House, stage: str, method: str) -> None:
    actor = accused(DESKS["intake" if stage == "notification" else stage])
    ticket = everywhere(stages, about())
    answer = refusal(stages, stage, method, actor, ticket)
    assert answer[0][0] in (UnknownTicket, UnknownFile)
    assert answer == refusal(stages, stage, method, actor, NEVER)


@pytest.mark.parametrize("actor", DESKS.values(), ids=lambda actor: actor.role)
def test_the_timeline_is_as_unknown_to_every_role(stages: House, actor: Actor) -> None:
    ticket = everywhere(stages, about())
    answer = refusal(stages, "notification", "timeline", accused(actor), ticket)
    assert answer == refusal(stages, "notification", "timeline", accused(actor), NEVER)


@pytest.mark.parametrize("stage", DESKS)
def test_the_accused_cannot_step_aside_from_what_they_do_not_know(stages: House, stage: str) -> None:
    ticket = everywhere(stages, about())
    for unknown in (ticket, NEVER):
        with pytest.raises(UnknownTicket):
            stages.do(stage, "recuse", accused(DESKS[stage]), unknown, "Itu saya.")


@pytest.mark.parametrize("stage", DESKS)
def test_it_is_in_the_lists_of_everybody_but_the_accused(stages: House, stage: str) -> None:
    ticket = stages.do("intake", "submit", REPORTER, about())["ticket"]
    if stage != "intake":
        stages.settle()
        stages.do("intake", "hand_over", OPERATOR, ticket)
        stages.settle()
    if stage == "opd_response":
        stages.do("triage", "forward", MAIN_TEAM, ticket, OPD)
        stages.settle()

    def listed(who: Actor, **wanted: Any) -> bool:
        found = stages.do(stage, "worklist", who, None, None, wanted)["items"]
        return ticket in [row["ticket"] for row in found]

    for wanted in ({}, {"q": ticket}):
        assert not listed(accused(DESKS[stage]), **wanted)
        assert listed(accused(DESKS[stage], OTHER_NIP), **wanted)
        assert listed(COLLEAGUES[stage], **wanted)
    if stage == "intake":
        assert stages.do("intake", "subjects", accused(OPERATOR), [ticket]) == {}


def test_answers_and_undelivered_letters_are_not_the_accuseds_to_see(stages: House) -> None:
    ticket = everywhere(stages, about())
    messages = STORAGES["notification"].messages
    with stages.databases["notification"].writing() as connection:
        of_ticket = messages.update().where(messages.c.ticket == ticket)
        connection.execute(of_ticket.values(given_up_at=stages.now))
    for method in ("worklist", "undelivered"):
        found = [row["ticket"] for row in stages.do("notification", method, accused(OPERATOR))["items"]]
        assert ticket not in found
        found = [row["ticket"] for row in stages.do("notification", method, OPERATOR)["items"]]
        assert ticket in found


def test_a_number_that_is_no_nip_is_refused_at_its_field(stages: House) -> None:
    with pytest.raises(InvalidInput) as refused:
        stages.do("intake", "submit", REPORTER, about("123456789012345678"))
    assert set(refused.value.details["fields"]) == {"accused_nip"}


def test_the_months_recapitulation_of_the_accused_leaves_the_case_out(stages: House) -> None:
    ticket, other = everywhere(stages, about()), everywhere(stages)
    for who, expected in ((accused(MAIN_TEAM), {other}), (MAIN_TEAM, {ticket, other})):
        page = stages.do("notification", "month", who, f"{stages.now:%Y-%m}", False)
        assert {journey["ticket"] for journey in page["journeys"]} == expected


def test_the_same_report_sent_again_has_the_same_ticket_and_another_nip_is_another_report(stages: House) -> None:
    first = stages.do("intake", "submit", REPORTER, about(), "kunci")["ticket"]
    assert stages.do("intake", "submit", REPORTER, about(), "kunci")["ticket"] == first
    with pytest.raises(IdempotencyKeyReused):
        stages.do("intake", "submit", REPORTER, about(OTHER_NIP), "kunci")


def test_the_nip_is_in_no_event_no_table_and_no_view(stages: House) -> None:
    ticket = everywhere(stages, about())
    told = [event for _, event in stages.told if getattr(event.data, "ticket", None) == ticket]
    hashes = {type(event.data): event.data.barred for event in told if hasattr(event.data, "barred")}
    assert hashes == dict.fromkeys((ComplaintSubmitted, ComplaintHandedOver, ComplaintForwarded), BARRED)
    assert NIP not in repr(told)
    for stage, database in stages.databases.items():
        with database.reading() as connection:
            for table in STORAGES[stage].metadata.sorted_tables:
                assert NIP not in repr(connection.execute(select(table)).all())
    for view in (
        stages.do("intake", "complaint", REPORTER, ticket),
        stages.do("intake", "complaint", OPERATOR, ticket),
        stages.do("triage", "case", MAIN_TEAM, ticket),
        stages.do("opd_response", "case", OPD_TEAM, ticket),
    ):
        assert BARRED not in repr(view)
        assert NIP not in repr(view)


@pytest.mark.parametrize("later", [ComplaintHandedOver, ComplaintForwarded], ids=lambda event: event.__name__)
def test_a_later_event_that_comes_first_hides_the_journey_too(stages: House, later: type[EventData]) -> None:
    ticket: str = stages.do("intake", "submit", REPORTER, about())["ticket"]
    stages.do("intake", "hand_over", OPERATOR, ticket)

    stages.deliver("triage", some=0.0)
    if later is ComplaintForwarded:
        stages.do("triage", "forward", MAIN_TEAM, ticket, OPD)
    (first,) = (each for each in stages.waiting if each[0] == "notification" and each[1].type == later.TYPE)
    stages.deliver_one(*first)
    with pytest.raises(UnknownTicket):
        stages.do("notification", "timeline", accused(MAIN_TEAM), ticket)
    assert stages.do("notification", "timeline", MAIN_TEAM, ticket)["entries"]


def test_forwarding_to_the_accuseds_own_team_needs_a_reason(stages: House) -> None:
    ticket = handed_over(stages, REPORT | {"conflict": True, "accused_opd": OPD})
    assert stages.do("triage", "case", MAIN_TEAM, ticket)["conflict"] is True
    with pytest.raises(InvalidInput) as refused:
        stages.do("triage", "forward", MAIN_TEAM, ticket, OPD, "Untuk ditangani.")
    assert refused.value.details["fields"] == {"reason": [{"code": "conflict-without-reason"}]}
    stages.do("triage", "forward", MAIN_TEAM, ticket, OPD, "Untuk ditangani.", WHY)
    stages.settle()
    assert [note["text"] for note in stages.do("triage", "notes", MAIN_TEAM, ticket)] == [WHY]
    case = stages.do("opd_response", "case", OPD_TEAM, ticket)
    assert case["note"] == "Untuk ditangani."
    assert WHY not in repr(case)
    assert "conflict" not in case
    assert WHY not in repr([event for _, event in stages.told])


def test_gathering_from_the_accuseds_own_team_needs_a_reason_too(stages: House) -> None:
    ticket = handed_over(stages, REPORT | {"conflict": True, "accused_opd": OPD})
    stages.do("triage", "forward", MAIN_TEAM, ticket, INSPECTORATE)
    stages.settle()
    stages.do("opd_response", "respond", Actor("staff-14", "opd_team", INSPECTORATE), ticket, "Diperiksa.")
    stages.settle()
    with pytest.raises(InvalidInput) as refused:
        stages.do("triage", "gather", MAIN_TEAM, ticket, OPD)
    assert refused.value.details["fields"] == {"reason": [{"code": "conflict-without-reason"}]}
    stages.do("triage", "gather", MAIN_TEAM, ticket, OPD, None, WHY)
    stages.settle()
    assert [note["text"] for note in stages.do("triage", "notes", MAIN_TEAM, ticket)] == [WHY]
    assert WHY not in repr(stages.do("opd_response", "case", OPD_TEAM, ticket))
    assert WHY not in repr([event for _, event in stages.told])


@pytest.mark.parametrize(
    ("opd", "marked"), [(INSPECTORATE, {"conflict": True}), (OPD, {"conflict": False}), (OPD, {})], ids=str
)
def test_no_other_forwarding_needs_one(stages: House, opd: str, marked: dict[str, Any]) -> None:
    ticket = handed_over(stages, REPORT | {"accused_opd": OPD} | marked)
    assert stages.do("triage", "forward", MAIN_TEAM, ticket, opd)["stands"]["state"] == "awaiting_response"


def test_the_inspectorate_that_is_offered_first_is_an_agency_of_the_roster(stages: House) -> None:
    admin = Actor("staff-admin", "admin")
    intake = stages.services["intake"]
    assert intake.lists()["inspectorate"] == INSPECTORATE
    with pytest.raises(InvalidInput):
        stages.do("intake", "replace_lists", admin, {"inspectorate": "tidak-ada"})
    assert stages.do("intake", "replace_lists", admin, {"inspectorate": "bkpsdmd"})["inspectorate"] == "bkpsdmd"
    stages.do("intake", "replace_lists", admin, {"opds": {OPD: "Disdukcapil"}})
    assert intake.lists()["inspectorate"] is None


@pytest.mark.parametrize("marked", [{}, {"conflict": True}, {"accused_nip": ""}], ids=str)
def test_the_passed_over_agency_learns_nothing(stages: House, marked: dict[str, Any]) -> None:
    nip = {"accused_nip": sealed(NIP)} if "accused_nip" in marked else {}
    ticket = handed_over(stages, REPORT | {"accused_opd": OPD} | marked | nip)
    stages.do("triage", "forward", MAIN_TEAM, ticket, INSPECTORATE)
    stages.settle()
    of_opd = [(stage, method) for stage, method in CALLS if stage == "opd_response"]
    for stage, method in (*of_opd, ("notification", "timeline")):
        answer = refusal(stages, stage, method, OPD_TEAM, ticket)
        assert answer[0][0] in (UnknownTicket, UnknownFile)
        assert answer == refusal(stages, stage, method, OPD_TEAM, NEVER)
    assert stages.do("opd_response", "worklist", OPD_TEAM)["items"] == []
    assert stages.do("opd_response", "worklist", OPD_TEAM, None, None, {"q": ticket})["items"] == []
    of_ticket = [event for _, event in stages.told if getattr(event.data, "ticket", None) == ticket]
    assert all(event.data.agency != OPD for event in of_ticket)
