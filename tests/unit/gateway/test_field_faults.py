"""Every code of a field's fault has its sentences: in the API, and on a page in both languages."""

import re

import pytest
from flask import Flask
from marshmallow import Schema, fields
from marshmallow.class_registry import _registry

from gateway import field_faults, schemas
from gateway.site.field_faults import LOOK_AGAIN, WORDS, sentence
from nkk.contracts.fields import Length, OneOf, Range, Regexp
from nkk.sop import faults
from nkk.sop.faults import CODES, Kind
from services.intake import schemas as of_intake
from services.notification import schemas as of_notification
from services.opd_response import schemas as of_opd_response
from services.triage import schemas as of_triage

EXAMPLES = {"kind": "NIK", "choices": ["a", "b"], "opds": ["a", "b"], "at": "07:31:05", "hours": "7.5"}
KINDS = [Kind(code)(**{name: EXAMPLES.get(name, 12) for name in names}) for code, names in CODES.items()]
CODED = (Length, OneOf, Range, Regexp)
ROOMS = tuple(module.__name__ for module in (schemas, of_intake, of_notification, of_opd_response, of_triage))


def test_the_api_has_a_sentence_for_each_code_and_for_no_other() -> None:
    assert set(field_faults.SENTENCES) == set(CODES)


@pytest.mark.parametrize("fault", KINDS, ids=lambda fault: fault["code"])
def test_each_sentence_of_the_api_says_every_parameter(fault: dict) -> None:
    assert set(re.findall(r"{(\w+)}", field_faults.SENTENCES[fault["code"]])) == set(fault) - {"code"}
    (said,) = field_faults.sentences([fault])
    assert said.endswith(".")
    assert "{" not in said
    assert "[" not in said or fault["code"] in ("no-spans", "no-span")


def test_pages_have_words_for_each_code_and_for_no_other() -> None:
    assert set(WORDS) == set(CODES)


@pytest.mark.parametrize("fault", KINDS, ids=lambda fault: fault["code"])
def test_each_code_has_its_words_in_both_languages(app: Flask, fault: dict) -> None:
    words = set()
    for language in ("id", "en"):
        with app.test_request_context(headers={"Cookie": f"nkk_language={language}"}):
            words.add(sentence(fault))
    assert len(words) == 2
    assert not any("%(" in text or "GET /" in text for text in words)


def test_a_parameter_that_is_forgotten_or_unknown_is_found_where_the_fault_is_made() -> None:
    for parameters in ({}, {"least": 1}, {"most": 1, "least": 1}):
        with pytest.raises(TypeError, match="too-long"):
            faults.TOO_LONG(**parameters)


def test_numbers_are_kept(app: Flask) -> None:
    with app.test_request_context():
        assert sentence(faults.PASSWORD_LENGTH(least=10, most=128)) == "Panjangnya harus 10 sampai 128 karakter."
        assert sentence(faults.NUMBER_LENGTH(kind="NIK", digits=16, given=15)) == (
            "NIK terdiri dari 16 angka; yang ini 15."
        )
        assert sentence(faults.FEW_HOURS(hours="7.5", least=10)) == (
            "Jam buka sepekan berjumlah 7,5 jam; harus paling sedikit 10 jam."
        )
        assert sentence(faults.TOO_LONG(most=254)) == "Terlalu panjang: paling banyak 254 karakter."
        assert "07.31.05" in sentence(faults.SLOWED_DOWN(at="07:31:05"))


def test_what_a_stage_of_an_earlier_version_says_is_shown_as_it_is(app: Flask) -> None:
    said = {"password": ["Wrong."], "week": {"0": ["No."]}}
    assert field_faults.sentences(said) == said
    assert field_faults.codes(said) == {}
    with app.test_request_context():
        assert sentence("Wrong.") == "Wrong."


def test_a_code_of_a_later_version_still_marks_its_field(app: Flask) -> None:
    fault = {"code": "something-new", "by": 3}
    assert field_faults.sentences({"name": [fault]}) == {"name": ["Not accepted: something-new."]}
    with app.test_request_context():
        assert sentence(fault) == str(LOOK_AGAIN) == "Isian ini perlu diperbaiki."


def test_what_is_no_ticket_is_told_how_a_ticket_reads(app: Flask) -> None:
    with app.test_request_context():
        assert "NKK-2026-XXXX-XXXX" in sentence(faults.NO_TICKET())


def test_faults_keep_their_place_in_nested_fields() -> None:
    fields = {"opd_team": {"dinkes": {"value": {"email": [faults.NO_ADDRESS()], "superior_email": ["Old."]}}}}
    assert field_faults.sentences(fields) == {
        "opd_team": {"dinkes": {"value": {"email": ["Not a valid email address."], "superior_email": ["Old."]}}}
    }
    assert field_faults.codes(fields) == {"opd_team": {"dinkes": {"value": {"email": [{"code": "no-address"}]}}}}


def _ours() -> list[type[Schema]]:
    found = {schema for known in _registry.values() for schema in known if isinstance(schema, type)}
    return sorted((schema for schema in found if schema.__module__.startswith(ROOMS)), key=lambda schema: str(schema))


def _with_inner(field: fields.Field) -> list[fields.Field]:
    inner = [getattr(field, name, None) for name in ("inner", "key_field", "value_field")]
    return [field, *(each for known in inner if known for each in _with_inner(known))]


@pytest.mark.parametrize("schema", _ours(), ids=lambda schema: f"{schema.__module__}.{schema.__name__}")
def test_every_field_says_in_codes_what_is_wrong(schema: type[Schema]) -> None:
    made = schema()
    assert made.error_messages == {"type": faults.NOT_AN_OBJECT(), "unknown": faults.UNKNOWN_FIELD()}
    for field in [each for top in made.load_fields.values() for each in _with_inner(top)]:
        said = {name: field.error_messages[name] for name in ("required", "null", "validator_failed")}
        if isinstance(field, fields.Nested):
            said |= {"type": field.error_messages["type"]}
        if isinstance(field, fields.String | fields.Integer | fields.Boolean | fields.List | fields.Mapping):
            said |= {"invalid": field.error_messages["invalid"]}
        assert [name for name, messages in said.items() if messages[0]["code"] not in CODES] == []
        for check in field.validators:
            assert not type(check).__module__.startswith("marshmallow"), (field.name, check)
            assert isinstance(check, CODED) or callable(check)
