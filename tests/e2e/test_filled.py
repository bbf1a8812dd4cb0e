"""Databases filled for a benchmark: the product treats the generated complaints as its own."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from bench.filling import KINDS, Filler, New
from bench.growing import reporter_ids
from bench.site import Site, running
from bench.telling import forwarded, handed_over, tell
from nkk.contracts import STAGES
from nkk.sop.steps import Role
from ops.stack.broker import PrivateNode
from ops.stack.postgres import PrivatePostgres
from tests.installations import PATIENCE, eventually, new_databases, new_vhost

pytestmark = pytest.mark.long

EACH = 12


@dataclass(frozen=True)
class Filled:
    """An installation with EACH generated complaints of every kind, and `made`, which lists them."""

    site: Site
    made: list[New]

    def one(self, kind: str) -> New:
        return next(each for each in self.made if each.kind == kind)

    def ask(self, method: str, path: str, token: str, body: dict[str, str] | None = None) -> httpx.Response:
        return httpx.request(
            method,
            f"{self.site.stack.url}/api/v1{path}",
            json=body,
            timeout=PATIENCE,
            headers={"Authorization": f"Bearer {token}"},
        )

    def reporter(self, each: New) -> str:
        return dict(zip(reporter_ids(self.site.reporters), self.site.reporters, strict=True))[each.reporter_id]


@pytest.fixture(scope="module")
def filled(
    tmp_path_factory: pytest.TempPathFactory, rabbit: PrivateNode, postgres: PrivatePostgres
) -> Iterator[Filled]:
    with running(tmp_path_factory.mktemp("filled"), new_vhost(rabbit), new_databases(postgres)) as site:
        site.admit_people()
        filler = Filler(site)
        yield Filled(site, filler.add(dict.fromkeys(KINDS, EACH)) + filler.add({"complaint": EACH}))


def test_every_desk_lists_what_was_made_for_it(filled: Filled):
    for desk, role, kind in (
        ("intake", Role.OPERATOR, "at intake"),
        ("triage", Role.MAIN_TEAM, "at triage"),
        ("opd", Role.OPD_TEAM, "at opd"),
        ("answers", Role.OPERATOR, "at answers"),
    ):
        listed = filled.ask("GET", f"/desks/{desk}?limit=200", filled.site.tokens[role]).json()["items"]

        made = {each.ticket for each in filled.made if each.kind == kind}
        assert len(made) == EACH
        assert made <= {row["ticket"] for row in listed}
        assert len(listed) == EACH + 1  # and the original, which went through the product


def test_a_closed_complaint_that_was_made_has_its_whole_journey(filled: Filled):
    made = filled.one("complaint")

    told = filled.ask("GET", f"/complaints/{made.ticket}/timeline", filled.reporter(made)).json()

    assert [entry["step"] for entry in told["entries"]] == [1, 2, 3, 4, 5, 6, 7]


def test_an_open_complaint_that_was_made_goes_on(filled: Filled):
    ticket = filled.one("at intake").ticket

    assert filled.ask("POST", f"/complaints/{ticket}/handover", filled.site.tokens[Role.OPERATOR]).status_code == 200

    main_team = filled.site.tokens[Role.MAIN_TEAM]
    eventually(lambda: filled.ask("GET", f"/complaints/{ticket}", main_team).status_code == 200)


def test_what_was_made_belongs_to_one_reporter_alone(filled: Filled):
    made = filled.one("information")
    other = next(token for token in filled.site.reporters if token != filled.reporter(made))

    assert filled.ask("GET", f"/complaints/{made.ticket}", filled.reporter(made)).status_code == 200
    assert filled.ask("GET", f"/complaints/{made.ticket}", other).status_code == 404


def test_what_one_database_says_was_heard_another_says_was_told(filled: Filled):
    told = {row[0] for stage in STAGES for row in filled.site.query(stage, "SELECT event_id FROM outbox")}

    for stage in ("triage", "opd_response"):
        heard = {row[0] for row in filled.site.query(stage, "SELECT event_id FROM inbox")}
        assert heard <= told
        assert len(heard) > len(KINDS)  # more than the originals, which went through the product


def test_what_a_measurement_has_a_stage_tell_is_heard_by_the_next(filled: Filled):
    for stage, events, heard_by in (("intake", handed_over(3), "triage"), ("triage", forwarded(3), "opd_response")):
        tickets = [event.ticket for event in events]
        tell(filled.site, stage, events)

        here = "SELECT count(*) FROM cases WHERE ticket = ANY(%s)"
        eventually(lambda to=heard_by, here=here, tickets=tickets: filled.site.query(to, here, tickets) == [(3,)])


def test_nothing_that_was_made_is_late_or_still_to_be_sent(filled: Filled):
    for stage, table in (
        ("intake", "complaints"),
        ("triage", "cases"),
        ("opd_response", "cases"),
        ("notification", "answers"),
    ):
        late = f"SELECT count(*) FROM {table} WHERE tell_at < now()"
        assert filled.site.query(stage, late)[0][0] == 0
    assert filled.site.query("notification", "SELECT count(*) FROM messages WHERE sent_at IS NULL")[0][0] == 0
