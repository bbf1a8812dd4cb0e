import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkk.sop.ticket import ALPHABET, new_ticket, read_ticket

numbers = st.integers(0, 32**7 - 1)


def ticket_of(number: int) -> str:
    """Return the ticket of `number`, or of the next number with a plain check symbol."""
    following = iter(range(number, number + 40))
    return new_ticket(2026, lambda _below: next(following) % 32**7)


tickets = numbers.map(ticket_of)


def test_the_alphabet_has_no_letters_that_are_misread():
    assert len(set(ALPHABET)) == 32
    assert not set("ILOU") & set(ALPHABET)


@given(tickets)
def test_a_ticket_is_short_and_has_one_written_form(ticket):
    assert re.fullmatch(r"NKK-2026-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", ticket)
    assert read_ticket(ticket) == ticket


def test_the_year_stands_in_the_ticket():
    assert new_ticket(2031).startswith("NKK-2031-")


def test_tickets_are_drawn_from_all_35_bits():
    asked = []
    new_ticket(2026, lambda below: asked.append(below) or 0)
    assert asked == [32**7]


def test_two_thousand_tickets_are_all_different():
    assert len({new_ticket(2026) for _ in range(2000)}) == 2000


def test_numbers_whose_check_symbol_is_no_plain_symbol_are_drawn_again():
    draws = iter([32, 36, 37])  # remainders 32 and 36 would need a check symbol such as * or U
    assert new_ticket(2026, lambda _below: next(draws)) == "NKK-2026-0000-0150"


@given(tickets, st.sampled_from([9, 10, 11, 12, 14, 15, 16, 17]), st.sampled_from(ALPHABET))
def test_each_single_mistyped_symbol_is_caught(ticket, place, symbol):
    mistyped = ticket[:place] + symbol + ticket[place + 1 :]
    assert read_ticket(mistyped) == (ticket if mistyped == ticket else None)


@given(tickets, st.sampled_from([9, 10, 11, 14, 15]))
def test_two_neighbours_swapped_are_caught(ticket, place):
    swapped = ticket[:place] + ticket[place + 1] + ticket[place] + ticket[place + 2 :]
    assert read_ticket(swapped) == (ticket if swapped == ticket else None)


@given(tickets)
def test_case_hyphens_and_what_stands_around_it_do_not_matter(ticket):
    spellings = (
        ticket.lower(),
        ticket.replace("-", ""),
        ticket.replace("-", " "),
        f"  {ticket}\n",
        f"#{ticket}",
        f"{ticket}.",
        ticket.replace("-", "\u2013"),
        ticket.replace("-", "\u2011"),
        ticket.replace("-", "\u00a0"),
        f"\u200b{ticket}\ufeff",
        ticket.replace("-", "--"),
        ticket.removeprefix("NKK-"),
        ticket.removeprefix("NKK"),
        f"# {ticket}",
        f"({ticket})",
        f"[{ticket}]",
        f'"{ticket}"',
        f"“{ticket}”,",
        f"'{ticket}'",
        f"{ticket},",
        f"{ticket}!",
        f"No. {ticket}",
        f"tiket {ticket}",
        f"Nomor tiket: {ticket};",
        f"Tiket no {ticket[4:]}",
        ticket.replace("-", "."),
        ticket.replace("-", "_"),
        f"<{ticket}>",
        f"- {ticket}",
        f"https://example.id/laporan/{ticket}",
        f"example.id/laporan/{ticket}/berkas?x=1#y",
        f"https://pengaduan.example.id/cari?tiket={ticket}&x=1",
    )
    assert {read_ticket(spelling) for spelling in spellings} == {ticket}


@given(tickets, st.sampled_from(["Oo", "Ii", "Ll"]))
def test_o_i_and_l_are_read_as_the_digits_they_look_like(ticket, letters):
    digit = "0" if letters == "Oo" else "1"
    for letter in letters:
        assert read_ticket("NKK-" + ticket[4:].replace(digit, letter)) == ticket


@pytest.mark.parametrize(
    "text",
    [
        "",
        "NKK",
        "NKK-2026",
        "NKK-26-0000-0000",
        "NKK-2026-0000-000",
        "NKK-2026-0000-00000",
        "NKKK-2026-0000-0000",
        "ABC-2026-0000-0000",
        "026-0000-0000",
        "NKK-2026-0000-000U",
        "NKK-2026-0000-000*",
        "NKK-2026-0000-0000+",
        "https://example.id/x",
        "https://example.id/NKK-2026-0000-0001",
        "NKK-2026-0000-00\x00",
        "NKK-2026-٠٠٠٠-0000",
        "\ud800",
    ],
)
def test_what_has_not_the_shape_of_a_ticket_is_none(text):
    assert read_ticket(text) is None


@given(st.text())
def test_any_text_can_be_read_and_gives_a_ticket_in_its_one_form_or_none(text):
    ticket = read_ticket(text)
    assert ticket is None or read_ticket(ticket) == ticket


def test_a_year_in_other_digits_is_not_a_ticket():
    ticket = new_ticket(2026)
    assert read_ticket(ticket.replace("2026", "٢٠٢٦")) in (None, ticket)
