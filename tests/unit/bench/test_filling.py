"""The benchmarks' filling of the databases."""

from itertools import islice

from bench.filling import New, numbered_tickets, replaced
from nkk.sop.ticket import read_ticket


def test_made_tickets_are_tickets_and_none_comes_twice():
    made = list(islice(numbered_tickets(), 20_000))

    assert len({ticket for _, ticket in made}) == len(made)
    assert all(read_ticket(ticket) == ticket for _, ticket in made[:200])
    assert [number for number, _ in made] == sorted({number for number, _ in made})


def test_the_same_filling_makes_the_same_tickets():
    assert list(islice(numbered_tickets(), 5)) == list(islice(numbered_tickets(), 5))


def test_a_ticket_is_replaced_wherever_it_stands():
    assert replaced("ticket", "character varying") == replaced("subject", "character varying") == "new.ticket"


def test_an_event_has_the_same_new_id_wherever_it_stands_made_of_nothing_else_than_its_old_one_and_the_number():
    expression = replaced("event_id", "character varying")

    assert expression == "(lpad(to_hex(new.n), 8, '0') || substr(md5(t.\"event_id\"), 9))::uuid::text"


def test_a_number_that_the_database_gives_is_left_to_it():
    assert replaced("id", "bigint") is None
    assert replaced("id", "character varying") is not None


def test_a_column_that_names_nothing_is_copied_as_it_is():
    assert replaced("by", "character varying") == 't."by"'


def test_what_is_closed_lies_in_the_past_with_all_its_times():
    back, ahead = New(10, "complaint", "T", "r", "a").row().rstrip("\n").split("\t")[5:]

    assert (back, ahead) == ("300 s", "-300 s")


def test_what_is_open_came_a_moment_ago_and_is_due_in_a_month():
    back, ahead = New(10, "at opd", "T", "r", "a").row().rstrip("\n").split("\t")[5:]

    assert back == "10 ms"
    assert ahead.startswith("30 days")
