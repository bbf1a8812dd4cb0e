import pytest

from nkk.sop import faults
from nkk.sop.catalogue import CATEGORIES, OPDS
from nkk.sop.refusals import InvalidInput
from nkk.validation import load
from services.intake import schemas
from tests.builders import complaint, complaint_form

REGISTRATION = {
    "kind": "public",
    "identity_number": "1971011503900001",
    "name": "Pelapor Contoh",
    "email": "pelapor@example.org",
    "username": "Pelapor.Contoh",
    "password": "sandi yang panjang",
}
SMALLEST = {"category": "kode-etik", "sub_category": "bernegara", "subject_line": "Judul", "text": "Isi"}


def fields_at_fault(schema, data):
    with pytest.raises(InvalidInput) as refused:
        load(schema, data)
    return set(refused.value.details["fields"])


def test_a_registration_is_brought_to_one_form():
    form = load(schemas.Registration, REGISTRATION | {"identity_number": " 1971011503900001 ", "phone": "+62 812-0000"})
    assert (form["username"], form["identity_number"], form["phone"]) == (
        "pelapor.contoh",
        "1971011503900001",
        "+62 812-0000",
    )
    assert load(schemas.Registration, REGISTRATION)["phone"] is None


@pytest.mark.parametrize("name", sorted(REGISTRATION))
def test_a_registration_lacks_nothing(name):
    assert fields_at_fault(schemas.Registration, {k: v for k, v in REGISTRATION.items() if k != name}) == {name}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "robot"),
        ("email", "no address"),
        ("email", "a@example.org\nBcc: b@example.org"),
        ("phone", "call me"),
        ("phone", "0812\n"),
        ("name", " "),
        ("name", "x" * 151),
        ("password", ""),
        ("password", "a\x00b"),
        ("extra", 1),
    ],
)
def test_what_a_registration_cannot_hold_is_refused_by_field(name, value):
    assert fields_at_fault(schemas.Registration, REGISTRATION | {name: value}) == {name}


def test_a_password_is_not_trimmed():
    assert load(schemas.Registration, REGISTRATION | {"password": "  sandi panjang  "})["password"] == (
        "  sandi panjang  "
    )


def test_what_stays_a_secret_or_a_name_is_kept_as_people_see_it():
    form = load(
        schemas.Registration,
        REGISTRATION | {"username": "Pelapor\u2011Contoh\u200b", "password": "cafe\u0301\u00a0di pasar"},
    )
    assert (form["username"], form["password"]) == ("pelapor-contoh", "caf\u00e9 di pasar")
    category = {"name": "Kode\u00a0etik\u200b", "source": "PP 42/2004\x0b", "sub_categories": {"a": "Ber\u00adnegara"}}
    assert load(schemas.Catalogue, {"categories": {"a": category}})["categories"]["a"] == {
        "name": "Kode etik",
        "source": "PP 42/2004",
        "sub_categories": {"a": "Bernegara"},
    }
    assert load(schemas.Category, category | {"source": ""})["source"] == ""


def test_the_smallest_form_is_a_complaint_without_confidentiality():
    form = load(schemas.ComplaintForm, SMALLEST)
    assert (form["claimed_kind"], form["confidential"], form["place"], form["accused_opd"]) == (
        "complaint",
        False,
        None,
        None,
    )


def test_a_whole_form_is_taken_as_it_is():
    assert load(schemas.ComplaintForm, complaint_form()) == complaint_form()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("claimed_kind", "wish"),
        ("category", "Kode Etik"),
        ("text", ""),
        ("text", "x" * 20_001),
        ("subject_line", "x" * 201),
        ("subject_line", "\ufe0f"),
        ("subject_line", "\u0301"),
        ("text", "\u2800\n\u2800"),
        ("confidential", "yes"),
        ("confidential", None),
        ("confidential", ["x"]),
        ("accused_opd", "../x"),
        ("ticket", "NKK-2026-0000-0000"),
        ("reporter_id", "somebody-else"),
    ],
)
def test_what_a_form_cannot_hold_is_refused_by_field(name, value):
    assert fields_at_fault(schemas.ComplaintForm, SMALLEST | {name: value}) == {name}


def test_the_default_catalogue_is_one_that_an_admin_could_have_entered():
    assert load(schemas.Catalogue, {"categories": CATEGORIES, "opds": OPDS}) == {"categories": CATEGORIES, "opds": OPDS}


@pytest.mark.parametrize(
    "catalogue",
    [
        {"categories": {}},
        {"opds": {}},
        {"categories": {"Not A Slug": {}}},
        {"categories": {"a": {"name": "A", "sub_categories": {}}}},
        {"opds": {"a": ""}},
        {"opds": ["a"]},
        {"opds": None},
    ],
)
def test_an_empty_or_misshapen_catalogue_is_refused(catalogue):
    assert fields_at_fault(schemas.Catalogue, catalogue) == set(catalogue)


@pytest.mark.parametrize("second", ["Dinas Sosial", "DINAS sosial", "Dinas\u00a0Sosial", "Dinas Sosial\ufe0f"])
@pytest.mark.parametrize(
    "catalogue",
    [
        lambda second: {"opds": {"satu": "Dinas Sosial", "dua": "Lain", "tiga": second}},
        lambda second: {
            "categories": {
                "satu": CATEGORIES["kode-etik"] | {"name": "Dinas Sosial"},
                "tiga": CATEGORIES["kode-etik"] | {"name": second},
            }
        },
        lambda second: {"categories": {"a": {"name": "A", "sub_categories": {"satu": "Dinas Sosial", "tiga": second}}}},
    ],
)
def test_two_rows_of_one_name_are_refused_and_both_named(catalogue, second):
    with pytest.raises(InvalidInput) as refused:
        load(schemas.Catalogue, catalogue(second))
    assert str(faults.SAME_NAME(one="satu", other="tiga")) in str(refused.value.details["fields"])


@pytest.mark.parametrize("schema", [schemas.ComplaintView, schemas.Listed, schemas.Receipt])
def test_no_view_of_a_report_says_whose_it_is(schema):
    assert "reporter-1" not in str(schema().dump(complaint()))


def test_a_receipt_gives_the_ticket_and_the_promised_time():
    report = complaint()
    assert schemas.Receipt().dump(report) == {
        "ticket": report.ticket,
        "submitted_at": "2026-03-02T01:00:00.000000Z",
        "service_due_at": "2026-03-04T01:00:00.000000Z",
        "stands": {"state": "awaiting_hand_over", "since": "2026-03-02T01:00:00.000000Z"},
        "files": [],
    }
