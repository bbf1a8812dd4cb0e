"""The roster of agencies that triage receives from intake, and to which alone it forwards complaints."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from nkk.contracts.events import ListsChanged
from nkk.sop import faults
from nkk.sop.catalogue import OPDS
from nkk.sop.refusals import InvalidInput
from services.intake import storage as intake
from services.triage import storage as triage
from tests.builders import REPORT
from tests.stages import ADMIN, MAIN_TEAM, OPD, OPD_TEAM, OPERATOR, REPORTER, House, house

WITHOUT = {key: name for key, name in OPDS.items() if key != OPD}


@pytest.fixture
def stages(url_of: Callable[[str], str]) -> Iterator[House]:
    with house(url_of) as built:
        yield built


def replaced(stages: House, opds: dict[str, str]) -> None:
    stages.do("intake", "replace_lists", ADMIN, {"opds": opds})


def published(stages: House) -> list[ListsChanged]:
    stages.collect()
    return [event.data for _, event in stages.told if isinstance(event.data, ListsChanged)]


def handed_over(stages: House) -> str:
    ticket = stages.do("intake", "submit", REPORTER, REPORT)["ticket"]
    stages.do("intake", "hand_over", OPERATOR, ticket)
    stages.deliver()
    return ticket


def refused(stages: House, command: str, *args: str | None) -> dict[str, list[str]]:
    with pytest.raises(InvalidInput) as refusal:
        stages.do("triage", command, MAIN_TEAM, *args)
    return refusal.value.details["fields"]


def test_a_complaint_goes_to_no_agency_that_left_the_roster_and_to_one_that_came_to_it(stages: House) -> None:
    ticket = handed_over(stages)
    replaced(stages, WITHOUT | {"dinas-baru": "Dinas Baru"})
    stages.deliver()
    assert refused(stages, "forward", ticket, OPD) == {"opd": [faults.NO_SUCH_OPD()]}
    assert stages.stored(ticket)["triage"].state == "awaiting_classification"
    assert stages.do("triage", "forward", MAIN_TEAM, ticket, "dinas-baru")["stands"]["state"] == "awaiting_response"


def test_until_triage_has_heard_of_a_roster_any_agency_will_do(stages: House) -> None:
    ticket = handed_over(stages)
    replaced(stages, WITHOUT)
    assert refused(stages, "forward", ticket, None) == {"opd": [faults.NO_SUCH_OPD()]}
    assert stages.do("triage", "forward", MAIN_TEAM, ticket, OPD)["stands"]["state"] == "awaiting_response"


def test_what_stands_at_an_agency_that_leaves_the_roster_goes_on(stages: House) -> None:
    ticket = handed_over(stages)
    stages.do("triage", "forward", MAIN_TEAM, ticket, OPD)
    stages.deliver()
    replaced(stages, WITHOUT)
    stages.deliver()
    stages.do("opd_response", "respond", OPD_TEAM, ticket, "Sudah.")
    stages.deliver()
    stages.do("triage", "return_response", MAIN_TEAM, ticket, "Belum menjawab.")
    stages.deliver()
    stages.do("opd_response", "respond", OPD_TEAM, ticket, "Kini lengkap.")
    stages.deliver()
    assert stages.do("triage", "approve", MAIN_TEAM, ticket)["stands"]["state"] == "approved"


def test_information_takes_no_agency_and_a_return_takes_a_note(stages: House) -> None:
    ticket = handed_over(stages)
    assert refused(stages, "classify_as_information", ticket, None, OPD) == {"opd": [faults.OPD_OF_INFORMATION()]}
    assert refused(stages, "return_response", ticket, None) == {"note": [faults.RETURN_WITHOUT_NOTE()]}
    assert stages.stored(ticket)["triage"].state == "awaiting_classification"


def test_the_newest_roster_holds_in_whatever_order_they_come(stages: House) -> None:
    for number in range(3):
        replaced(stages, {f"dinas-{number}": f"Dinas {number}"})
    first, second, third = (event for _, event in stages.told if isinstance(event.data, ListsChanged))
    assert first.data.version < second.data.version < third.data.version
    for event in (second, third, first):
        stages.services["triage"].on_lists_changed(event)
        with stages.services["triage"].uow.reading() as work:
            assert work.lists.roster() == set((third if event is not second else second).data.opds)


def test_a_new_installation_publishes_its_first_roster_and_publishes_it_once(stages: House) -> None:
    another = stages.instance("intake")
    for _ in range(2):
        stages.services["intake"].publish_lists()
        another.publish_lists()
    assert [event.opds for event in published(stages)] == [sorted(OPDS)]


def test_what_an_intake_of_the_version_before_replaced_is_published_by_the_next_timer(stages: House) -> None:
    # An earlier version changed the lists without publishing them.
    stages.services["intake"].publish_lists()
    with stages.services["intake"].uow.begin() as work:
        work.lists.replace("opds", WITHOUT, ADMIN.id, stages.now)
    stages.services["intake"].publish_lists()
    assert [event.opds for event in published(stages)] == [sorted(OPDS), sorted(WITHOUT)]


def test_a_catalogue_that_changes_or_a_name_is_no_new_roster(stages: House) -> None:
    replaced(stages, OPDS)
    stages.do("intake", "replace_lists", ADMIN, {"opds": OPDS | {OPD: "Nama Baru"}})
    stages.do(
        "intake",
        "replace_lists",
        ADMIN,
        {"categories": {"satu": {"name": "Satu", "sub_categories": {"dua": "Dua"}}}},
    )
    assert len(published(stages)) == 1


def test_what_intake_publishes_after_it_was_restored_is_newer_than_what_triage_had_heard(stages: House) -> None:
    replaced(stages, WITHOUT)
    stages.deliver()
    with stages.databases["intake"].writing() as connection:
        connection.execute(delete(intake.published_lists))
    stages.now += timedelta(minutes=5)
    replaced(stages, {"dinas-baru": "Dinas Baru"})
    stages.deliver()
    with stages.databases["triage"].reading() as connection:
        assert connection.execute(select(triage.lists.c.opds)).scalar_one() == '["dinas-baru"]'
