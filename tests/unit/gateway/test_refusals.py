"""Every code of a refusal has its status and its sentence in the API, and its page."""

import re

import pytest

from gateway import errors, journeys, papers, refusals
from gateway.files import refusals as of_files
from gateway.site.said import SAID
from nkk.sop import claims
from nkk.sop.refusals import AlreadyDone, Refused, slug
from services.intake import admin as of_intake
from services.intake import entries as of_entries
from services.notification import asking as of_questions
from services.notification import domain as of_notification
from services.opd_response import domain as of_opd_response
from services.triage import refusals as of_triage

DEFINED_IN = (
    claims,
    of_files,
    journeys,
    papers,
    of_intake,
    of_entries,
    of_notification,
    of_questions,
    of_opd_response,
    of_triage,
)
"""The modules to import, so that their refusals are registered."""

PARAMETERS = {
    "needed": ["operator", "admin"],
    "role": "reporter",
    "at": "07:31:05",
    "most": 10,
    "offset": 65536,
    "id": "x" * 22,
    "refusal": "empty",
    "header": "Upload-Length",
}


def _all(refusal: type[Refused] = Refused) -> list[type[Refused]]:
    return [found for each in refusal.__subclasses__() for found in (each, *_all(each))]


REFUSALS = [refusal for refusal in _all() if not refusal.__module__.startswith("tests.")]
CODES = [code for refusal in REFUSALS for code in refusal.codes]


def test_every_refusal_is_looked_at() -> None:
    assert len(DEFINED_IN) < len(REFUSALS)
    assert {refusal.__name__ for refusal in REFUSALS} >= {
        "SlowedDown",
        "NoDocumentYet",
        "AlreadyResponded",
        "LastAdmin",
    }


def test_the_api_has_a_sentence_for_each_code_and_for_no_other() -> None:
    assert set(refusals.SENTENCES) == set(CODES)
    assert len(CODES) == len(set(CODES))


def test_each_refusal_has_its_status_and_no_other_name_has_one() -> None:
    assert set(errors.STATUS) == {refusal.__name__ for refusal in REFUSALS}


def test_each_refusal_has_words_of_its_own_on_a_page_where_its_status_has_none_for_it() -> None:
    beside_a_field = {"InvalidInput", "WrongPassword", "ResetExpired", "SlowedDown", "IdempotencyKeyReused"} | {
        "AccessCodeRefused"
    }
    said = set(SAID) | beside_a_field | {"NotAuthenticated"}
    assert {name for name, status in errors.STATUS.items() if status != 409} <= said


@pytest.mark.parametrize("code", CODES)
def test_a_sentence_is_whole(code: str) -> None:
    said = refusals.sentence(code, PARAMETERS)
    assert said.endswith(".")
    assert not re.search(r"[{}\[\]]", said)
    assert set(re.findall(r"{(\w+)}", refusals.SENTENCES[code])) <= set(PARAMETERS)


def test_what_a_stage_of_an_earlier_version_says_is_shown_as_it_is() -> None:
    assert refusals.sentence("This report was {handed} over before.", {}) == "This report was {handed} over before."


def test_a_code_of_a_later_version_is_named() -> None:
    assert refusals.sentence("something-new", {"by": 3}) == "Refused: something-new."


@pytest.mark.parametrize(("name", "code"), [("AlreadyHandedOver", "already-handed-over"), ("LastAdmin", "last-admin")])
def test_the_code_of_a_name_is_that_of_the_problem(name: str, code: str) -> None:
    assert slug(name) == code


def test_a_page_calls_done_only_what_is_done() -> None:
    of_desks = {each for each in REFUSALS if each.__module__.startswith(("services.triage", "services.opd_response"))}
    not_done = {each.__name__ for each in of_desks if not issubclass(each, AlreadyDone)}
    assert not_done | {"AlreadyAsked", "AlreadyJoined", "AlreadyGathered"} <= set(SAID)
    assert set(of_triage.CannotJoin.codes[1:]) <= set(SAID)
    assert "gathered-enough" in SAID
