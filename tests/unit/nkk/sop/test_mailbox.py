"""Addresses that letters can be sent to, in normal form; others are refused with advice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from nkk.contracts.fields import Mailbox
from nkk.sop import faults, mailbox
from nkk.sop.mailbox import NoMailboxError, is_same, read_mailbox


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("siti@example.id", "siti@example.id"),
        ("Siti.R+pengaduan@Example.ID", "Siti.R+pengaduan@example.id"),
        ("  siti@example.id \r\n", "siti@example.id"),
        ("\u00a0siti@example.id\u3000", "siti@example.id"),
        # As copied from a chat, a web page or a word processor.
        ("siti@example.id\u200b", "siti@example.id"),
        ("\ufeffsiti@exam\u00adple.id", "siti@example.id"),
        ("\u202asiti@example.id\u202c", "siti@example.id"),
        ("si\u200dti@example.id", "siti@example.id"),
        ("siti@example.id.", "siti@example.id"),
        ("siti@bücher.example", "siti@xn--bcher-kva.example"),
        ("siti@xn--bcher-kva.example", "siti@xn--bcher-kva.example"),
        # In IDNA 2008 it is a letter of its own.
        ("siti@straße.example", "siti@xn--strae-oqa.example"),
        ("siti@例え.テスト", "siti@xn--r8jz45g.xn--zckzah"),
        ("siti@example。id", "siti@example.id"),
    ],
)
def test_an_address_is_read_in_the_form_in_which_a_letter_goes_there(written, address):
    assert read_mailbox(written) == address
    assert is_same(written, address)


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("jörg@example.id", faults.ADDRESS_NOT_PLAIN),
        ("ситиr@example.id", faults.ADDRESS_NOT_PLAIN),
        ("siti\x01@example.id", faults.HIDDEN_SIGN),
        ("siti@exam\x00ple.id", faults.HIDDEN_SIGN),
        ("siti@example.id\r\nBcc: lain@example.org", faults.HIDDEN_SIGN),
        ("siti\u2028@example.id", faults.HIDDEN_SIGN),
        ("siti@localhost", faults.NO_DOMAIN),
        ("siti@mail.localhost", faults.NO_DOMAIN),
        ("siti@kantor", faults.NO_DOMAIN),
        ("siti@[192.0.2.1]", faults.NO_DOMAIN),
        ("siti@[IPv6:2001:db8::1]", faults.NO_DOMAIN),
        ("siti@192.0.2.1", faults.NO_DOMAIN),
        ("", faults.NO_ADDRESS),
        ("siti", faults.NO_ADDRESS),
        ("@example.id", faults.NO_ADDRESS),
        ("siti@", faults.NO_ADDRESS),
        ("siti@@example.id", faults.NO_ADDRESS),
        ("si ti@example.id", faults.NO_ADDRESS),
        ('"si ti"@example.id', faults.NO_ADDRESS),
        ("Siti <siti@example.id>", faults.ONE_ADDRESS),
        ("<siti@example.id>", faults.ONE_ADDRESS),
        ("a@example.id, b@example.id", faults.ONE_ADDRESS),
        ("a@example.id;b@example.id", faults.ONE_ADDRESS),
        ("a@example.id b@example.id", faults.ONE_ADDRESS),
        ("a@example.id / b@example.id", faults.ONE_ADDRESS),
        (".siti@example.id", faults.NO_ADDRESS),
        ("=?utf-8?q?v=40evil.example=2C?=@example.id", faults.NO_ADDRESS),
        ("si..ti@example.id", faults.NO_ADDRESS),
        ("siti@-example.id", faults.NO_ADDRESS),
        ("siti@ex_ample.id", faults.NO_ADDRESS),
        ("siti@exa mple.id", faults.NO_ADDRESS),
        ("siti@example..id", faults.NO_ADDRESS),
        ("siti@\ud800.id", faults.NO_ADDRESS),
        (f"{'s' * 65}@example.id", faults.NO_ADDRESS),
        (f"siti@{'x' * 64}.id", faults.NO_ADDRESS),
        (f"siti@{'x.' * 130}id", faults.NO_ADDRESS),
        (f"siti@{'ü' * 100_000}.id", faults.NO_ADDRESS),
    ],
)
def test_where_no_letter_of_ours_can_go_one_fault_says_why(written, kind):
    with pytest.raises(NoMailboxError) as refused:
        read_mailbox(written)
    assert refused.value.fault == kind()


@given(
    st.one_of(
        st.text(),
        st.builds("{}@{}".format, st.text(), st.text()),
        st.emails(),
        st.builds("a@{}.id".format, st.text(min_size=1)),
    )
)
def test_whatever_is_written_is_an_address_that_reads_the_same_again_or_is_refused(written):
    try:
        address = read_mailbox(written)
    except ValueError:
        return
    assert read_mailbox(address) == address
    assert address.isascii()
    assert address.isprintable()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("siti@localhost", "siti@localhost", True),
        ("siti@localhost", "siti@example.id", False),
        ("Siti@example.id", "siti@example.id", False),
    ],
)
def test_an_address_that_was_taken_before_is_compared_as_it_was_written(one, other, same):
    assert is_same(one, other) is same


@pytest.mark.parametrize(
    ("address", "postbox"),
    [
        ("Siti@Example.id", "siti@example.id"),
        ("siti+pengaduan@example.id", "siti@example.id"),
        ("s.it.i+a+b@example.id", "siti@example.id"),
        ("+siti@example.id", "+siti@example.id"),
        ("siti@sub.example.id", "siti@sub.example.id"),
        ("siti+a@localhost", "siti@localhost"),
        ("siti", "siti"),
    ],
)
def test_whatever_stands_behind_a_plus_and_dots_lead_to_the_same_postbox(address, postbox):
    assert mailbox.postbox_of(address) == postbox


class Form(Schema):
    email = Mailbox(required=True)


def test_a_field_of_any_form_reads_it_and_says_the_same():
    assert Form().load({"email": " siti@Bücher.example\u200b"}) == {"email": "siti@xn--bcher-kva.example"}
    for written, kind in (("siti@localhost", faults.NO_DOMAIN), ("siti", faults.NO_ADDRESS)):
        with pytest.raises(ValidationError) as refused:
            Form().load({"email": written})
        assert refused.value.messages == {"email": [kind()]}
