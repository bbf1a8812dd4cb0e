from datetime import UTC, datetime, timedelta, timezone
from time import process_time
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from nkk.contracts.fields import (
    Calendar,
    Digits,
    Instant,
    Length,
    Line,
    Mailbox,
    Password,
    Phone,
    PlainText,
    Secret,
    Slug,
    Ticket,
    UserName,
    write_instant,
)
from nkk.sop import faults
from nkk.sop.refusals import InvalidInput
from nkk.sop.ticket import new_ticket
from nkk.validation import instant

LONE_SURROGATE = "halo \ud83d"


@pytest.mark.parametrize(
    "words",
    [
        "Bagus 👍🏽, terima kasih 👨‍👩‍👧",
        "شكوى عن الخدمة",
        "\u202bשלום\u202c",
        "<script>alert('x')</script> & <b>tebal</b>",
        "'; DROP TABLE cases; --",
        "{{ 7 * 7 }} %s ${jndi}",
        "baris pertama\n\n\tbaris kedua",
    ],
)
def test_plain_text_is_kept_as_a_person_wrote_it(words):
    assert PlainText(200).deserialize(words) == words


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("a\x00b", "ab"),
        ("bel\x07", "bel"),
        ("esc\x1b[2J", "esc[2J"),
        ("a\x7fb", "ab"),
        ("a\x9bb", "ab"),
        ("satu\x0bdua", "satu\ndua"),
    ],
)
def test_control_signs_that_came_with_a_pasted_text_are_left_out(words, kept):
    assert PlainText(200).deserialize(words) == kept


def test_a_line_has_no_line_ends_and_nothing_invisible():
    assert Line(200).deserialize(" Siti\u200b\x0bContoh\u00a0") == "Siti Contoh"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("0812-3456-7890", "0812-3456-7890"),
        ("(0717) 123.456", "(0717) 123.456"),
        ("0717/123456", "0717/123456"),
        ("+62 812\u00a03456\u20117890", "+62 812 3456-7890"),
        ("\u202a08123456789\u202c", "08123456789"),
        ("０８１２ ３４５６ ７８９０", "0812 3456 7890"),
        ("0812-3456-7890,", "0812-3456-7890"),
        ("0812 0345 0789.", "0812 0345 0789"),
    ],
)
def test_a_telephone_number_is_taken_as_it_is_written(written, kept):
    assert Phone().deserialize(written) == kept


@pytest.mark.parametrize("written", ["", "123456", "telepon", "0812x3456789", "++628123456", "0" * 21, "+", 812])
def test_what_is_no_telephone_number_is_refused(written):
    with pytest.raises(ValidationError):
        Phone().deserialize(written)


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("", faults.PHONE_EMPTY()),
        (" \u2800", faults.PHONE_EMPTY()),
        ("1", faults.PHONE_TOO_SHORT(least=7)),
        ("(0717)", faults.PHONE_TOO_SHORT(least=7)),
        ("0717 123456 ext 12", faults.PHONE_WITH_WORDS()),
        ("0812 3456 7890 (WA)", faults.PHONE_WITH_WORDS()),
        ("Telp: 0717 123456", faults.PHONE_WITH_WORDS()),
        ("081234567890, 081398765432", faults.SEVERAL_PHONES()),
        ("081234567890/081398765432", faults.SEVERAL_PHONES()),
        ("0717 123456; 0717 654321", faults.SEVERAL_PHONES()),
        ("081234567890 081398765432", faults.SEVERAL_PHONES()),
        ("08123456 / +62717123456", faults.SEVERAL_PHONES()),
        ("0" * 21, faults.PHONE_TOO_LONG(most=20)),
        ("0812#3456789", faults.NO_PHONE()),
    ],
)
def test_it_is_said_what_is_wrong_with_a_telephone_number(written, fault):
    with pytest.raises(ValidationError) as refused:
        Phone().deserialize(written)
    assert refused.value.messages == [fault]


@pytest.mark.parametrize("words", [LONE_SURROGATE, "\udc4d"])
def test_plain_text_refuses_what_is_no_text(words):
    with pytest.raises(ValidationError, match="half-emoji"):
        PlainText(200).deserialize(words)


@pytest.mark.parametrize("words", ["", " ", "\n\t\r\n", "\u00a0\u3000"])
def test_blank_plain_text_is_refused(words):
    with pytest.raises(ValidationError, match="empty"):
        PlainText(200).deserialize(words)


def test_plain_text_drops_surrounding_space_and_makes_line_ends_alike():
    assert PlainText(200).deserialize("  satu\r\ndua\rtiga \n") == "satu\ndua\ntiga"


def test_plain_text_may_be_exactly_as_long_as_allowed():
    assert PlainText(5).deserialize(" 12345 ") == "12345"
    assert PlainText(2).deserialize("👍👍") == "👍👍"


def test_plain_text_that_is_too_long_is_refused():
    with pytest.raises(ValidationError, match="wrong-length"):
        PlainText(5).deserialize("123456")


@pytest.mark.parametrize("value", [None, 5, True, ["a"], {"a": "b"}])
def test_plain_text_is_text_and_nothing_else(value):
    with pytest.raises(ValidationError):
        PlainText(200).deserialize(value)


def shows_something(words):
    return any(category(sign) not in ("Cf", "Zs", "Zl", "Zp") for sign in words)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(shows_something))
def test_plain_text_read_twice_is_the_same(words):
    once = PlainText(10_000).deserialize(words)
    assert PlainText(10_000).deserialize(once) == once


def test_a_secret_is_kept_exactly_as_typed():
    assert Secret().deserialize("  pass\tword  ") == "  pass\tword  "


@pytest.mark.parametrize("secret", ["", "a\x00b", LONE_SURROGATE, "x" * 1001, 5, None])
def test_a_secret_that_no_hash_can_take_is_refused(secret):
    with pytest.raises(ValidationError):
        Secret().deserialize(secret)


@pytest.mark.parametrize("slug", ["a", "0", "kode-etik", "a" * 64, "dinas-pupr-2"])
def test_a_slug_is_small_letters_digits_and_hyphens(slug):
    assert Slug().deserialize(slug) == slug


@pytest.mark.parametrize(
    "slug", ["", "-a", "Kode", "kode etik", "kode_etik", "a" * 65, "a\n", "a/../b", "é", "٣", None, 7]
)
def test_no_other_slug_is_taken(slug):
    with pytest.raises(ValidationError):
        Slug().deserialize(slug)


def test_a_ticket_is_brought_to_its_one_written_form():
    ticket = new_ticket(2026)
    assert Ticket().deserialize(f" {ticket.lower().replace('-', '')} ") == ticket


@pytest.mark.parametrize("ticket", ["", "NKK-2026-0000-0001", "x", 5, None])
def test_what_is_no_ticket_is_refused(ticket):
    with pytest.raises(ValidationError):
        Ticket().deserialize(ticket)


@pytest.mark.parametrize("text", ["2026-03-02T08:00:00+07:00", "2026-03-02T01:00:00Z", "2026-03-02T01:00:00.000000Z"])
def test_an_instant_is_read_in_any_zone_and_written_in_utc(text):
    instant = Instant().deserialize(text)
    assert instant.tzinfo is not None
    assert write_instant(instant) == "2026-03-02T01:00:00.000000Z"


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-30T08:00:00Z", 1772413200, None, True])
def test_what_is_no_instant_is_refused(text):
    with pytest.raises(ValidationError):
        Instant().deserialize(text)


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+07:00",
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59-14:00",
        "1999-12-31T23:59:59.999999Z",
        "2000-01-01T06:59:59+07:00",
        "2200-01-01T00:00:00Z",
    ],
)
def test_an_instant_that_nobody_can_reckon_with_is_refused(text):
    with pytest.raises(ValidationError):
        Instant().deserialize(text)
    with pytest.raises(InvalidInput):
        instant(text)


@pytest.mark.parametrize("text", ["2000-01-01T00:00:00Z", "2199-12-31T23:59:59.999999Z", "2200-01-01T00:00:00+07:00"])
def test_the_first_and_the_last_instant_are_read(text):
    assert Instant().deserialize(text) == instant(text) == datetime.fromisoformat(text)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-03-02T08:00:00", 7, None, ["2026-03-02T08:00:00Z"]])
def test_what_a_stage_is_given_for_an_instant_is_refused_as_input(text):
    with pytest.raises(InvalidInput):
        instant(text)


@given(st.datetimes(datetime(2000, 1, 2), datetime(2199, 12, 30)), st.integers(-14 * 60, 14 * 60))
def test_an_instant_survives_writing_and_reading_to_the_microsecond(moment, offset):
    instant = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    assert Instant().deserialize(write_instant(instant)) == instant.astimezone(UTC)


def test_a_naive_instant_is_refused():
    with pytest.raises(ValidationError):
        Instant().deserialize("2026-03-02T08:00:00")


@pytest.mark.parametrize("words", ["\u200b", "\u2060\ufeff", "\u202e"])
def test_words_that_show_nothing_are_empty(words):
    with pytest.raises(ValidationError):
        PlainText(20).deserialize(words)


@pytest.mark.parametrize(
    "field",
    [
        Digits(validate=Length(1, 32)),
        Line(150),
        Line(150, least=0),
        Mailbox(),
        Password(),
        Phone(),
        Ticket(),
        UserName(64),
    ],
)
@pytest.mark.parametrize("unit", ["\ufdfa", "\ufb2c", "\u0390", "\u4e00\ufe0f", "e\u0301 "])
def test_what_is_far_too_long_is_refused_before_it_is_normalised(field, unit):
    began = process_time()
    with pytest.raises(ValidationError):
        field.deserialize(unit * (256 * 1024 // len(unit.encode())))
    assert process_time() - began < 0.15


@pytest.mark.parametrize("field", [Line(150), UserName(64), Phone(), Digits()])
def test_space_around_it_makes_nothing_too_long(field):
    assert field.deserialize(f"{' ' * 5_000}0812345678\u00a0{chr(10) * 5_000}") == "0812345678"


def test_a_calendar_with_a_name_that_is_far_too_long_is_refused_before_it_is_normalised():
    began = process_time()
    with pytest.raises(ValidationError):
        Calendar().deserialize({"days": {"2026-01-01": {"name": "\ufb2c" * 87_000}}})
    assert process_time() - began < 0.15
