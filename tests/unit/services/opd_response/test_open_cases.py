"""An admin sees how many complaints await each agency's response, and nothing else about them."""

from inspect import unwrap

from nkk.store.database import Database
from nkk.store.work import UnitOfWork
from nkk.trust.actor import Actor
from services.opd_response.service import OpdResponseService
from services.opd_response.storage import OpdResponseWork, metadata
from tests.builders import MONDAY, opd_case


def test_what_awaits_a_response_is_counted_by_agency(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/opd.db", size=2)
    metadata.create_all(database.engine)
    service = OpdResponseService()
    service.uow = UnitOfWork(database, OpdResponseWork, "opd_response")
    responded = opd_case(ticket="four", opd="dinsos")
    responded.respond("Sudah.", MONDAY)
    with service.uow.begin() as work:
        for case in (
            opd_case(ticket="one", opd="dinkes"),
            opd_case(ticket="two", opd="dinkes"),
            opd_case(ticket="three", opd="inspektorat"),
            responded,
        ):
            work.cases.add(case)
    counted = unwrap(OpdResponseService.open_by_opd)(service, Actor("admin", "admin"))
    assert counted == {"dinkes": 2, "inspektorat": 1}
    database.dispose()
