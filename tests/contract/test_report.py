"""A field of the report is present everywhere the report is used."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

import gateway.site
from gateway.documents.content import COMPLAINT, FORM, REPORT, SHOWN
from gateway.documents.sample import sample
from gateway.schemas import Complaint, ComplaintForm
from nkk.contracts.events import ComplaintForwarded, ComplaintHandedOver
from nkk.sop.report import WRITTEN
from services.intake import schemas as intake
from services.opd_response import schemas as opd_response
from services.triage import schemas as triage
from tests.builders import REPORT as BUILT

TEMPLATES = Path(gateway.site.__file__).parent / "templates"


def words(page):
    # Pages have one field for both of these, the topic.
    return {"category", "sub_category"} | set(re.findall(r"\w+", (TEMPLATES / page).read_text("utf-8")))


PLACES = {
    "handed over": {field.name for field in fields(ComplaintHandedOver)},
    "forwarded": {field.name for field in fields(ComplaintForwarded)},
    "the door's form": ComplaintForm().fields.keys(),
    "what the door shows": Complaint().fields.keys(),
    "intake's form": intake.ComplaintForm().fields.keys(),
    "intake's view": intake.ComplaintView().fields.keys(),
    "triage's view": triage.CaseView().fields.keys(),
    "opd_response's view": opd_response.CaseView().fields.keys(),
    "Form Pengaduan": SHOWN[FORM],
    "Data Pengaduan": SHOWN[COMPLAINT],
    "Laporan Pengaduan": SHOWN[REPORT],
    "the page that asks": words("write.html"),
    "the pages that show": words("_parts.html") | words("case.html"),
    "the sample of a document": sample().keys(),
    "the tests' own": BUILT.keys(),
}


@pytest.mark.parametrize("place", PLACES)
def test_every_field_of_the_report_is_there(place):
    assert set(WRITTEN) - set(PLACES[place]) == set()
