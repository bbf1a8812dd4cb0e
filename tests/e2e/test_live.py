"""New work appears on a desk's page by itself."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from time import monotonic

import httpx
import pytest

from nkk.messaging.actor import LIFETIME, Actor, grant
from nkk.messaging.settings import as_pem
from nkk.stack.broker import PrivateNode
from tests.installations import Installation, eventually, installation, new_vhost
from tests.people import People, Person
from tests.problems import problem

LASTING = {"timeout": 60}


def events(response: httpx.Response) -> Iterator[dict[str, str]]:
    """What a stream says, an event at a time: its fields."""
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        name, _, value = line.partition(": ")
        if line and name:
            fields[name] = value
        if not line:
            if "event" in fields:
                yield fields
            fields = {}


def test_a_hand_over_is_told_to_both_desks_and_shows_nothing_of_it(people: People) -> None:
    with people.main_team.stream("GET", "/desks/triage/changes", **LASTING) as triage, \
            people.operator.stream("GET", "/desks/intake/changes", **LASTING) as intake:
        assert triage.headers["Content-Type"].startswith("text/event-stream")
        assert triage.headers["Cache-Control"] == "no-store"
        at_triage, at_intake = events(triage), events(intake)
        assert next(at_triage) == {"event": "ready", "data": '{"desk": "triage"}'}
        next(at_intake)
        ticket = people.submit(people.reporter())
        assert next(at_intake)["event"] == "change"
        people.operator.post(f"/complaints/{ticket}/handover")
        told = next(at_triage)
        assert set(told) == {"event", "id", "data"}
        assert told["data"] == '{"desk": "triage"}'
        assert len(told["id"]) == 36
        while next(at_intake)["id"] != told["id"]:
            continue
        # Whoever asks when told finds it: at once as a rule, else when told again.
        eventually(lambda: ticket in people.main_team.desk("triage"), patience=5)


def test_a_team_is_told_of_its_own_agency_only(people: People) -> None:
    reporter, own, other = people.reporter(), people.opd_team("dinas-sosial"), people.opd_team("satpol-pp")
    first, second = people.submit(reporter), people.submit(reporter)
    for ticket in (first, second):
        people.operator.post(f"/complaints/{ticket}/handover")
        eventually(lambda ticket=ticket: ticket in people.main_team.desk("triage"))
    with own.stream("GET", "/desks/opd/changes", **LASTING) as mine, \
            other.stream("GET", "/desks/opd/changes", **LASTING) as theirs:
        at_mine, at_theirs = events(mine), events(theirs)
        next(at_mine), next(at_theirs)
        people.main_team.post(f"/complaints/{first}/classification", {"kind": "complaint", "opd": "dinas-sosial"})
        told = next(at_mine)
        assert told["data"] == '{"desk": "opd", "opd": "dinas-sosial"}'
        people.main_team.post(f"/complaints/{second}/classification", {"kind": "complaint", "opd": "satpol-pp"})
        assert next(at_theirs)["id"] != told["id"]


def test_a_stream_ends_with_the_access_token(people: People) -> None:
    key = as_pem(people.installation.stack.keys["NKK_TOKEN_SIGNING_KEY"])
    token, _ = grant(Actor("somebody", "operator"), key, datetime.now(UTC) - LIFETIME + timedelta(seconds=4))
    person, began = Person(people.http, token), monotonic()
    with person.stream("GET", "/desks/answers/changes", **LASTING) as response:
        assert response.status_code == 200
        assert response.read()
    assert monotonic() - began < 8
    problem(person.ask("GET", "/desks/answers/changes"), 401, "not-authenticated")


# -- at an installation where one page may listen


@pytest.fixture(scope="module")
def narrow(rabbit: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("narrow"), new_vhost(rabbit), settings={
            "NKK_LIVE_STREAMS": "1"}) as running:
        yield running


def test_where_no_more_may_listen_a_page_is_sent_to_ask_now_and_then_until_one_has_gone(narrow: Installation) -> None:
    people = People(narrow)
    with people.operator.stream("GET", "/desks/intake/changes", **LASTING) as first:
        assert next(events(first))["event"] == "ready"
        refused = people.main_team.ask("GET", "/desks/triage/changes")
        problem(refused, 503, "too-many-streams")
        assert int(refused.headers["Retry-After"]) >= 30
        assert people.main_team.desk("triage") == []
    eventually(lambda: people.main_team.status("GET", "/desks/triage/changes") == 200)
    people.close()


def test_a_gateway_that_is_to_end_does_not_wait_for_its_streams(narrow: Installation) -> None:
    people = People(narrow)
    with closing(eventually(lambda: _listening(people.operator))) as response:
        texts = events(response)
        assert next(texts)["event"] == "ready"
        began = monotonic()
        narrow.take_down("gateway")
        assert monotonic() - began < 10
        assert list(texts) == []
    narrow.bring_up("gateway")
    narrow.wait_until_ready()
    people.close()


def _listening(person: Person) -> httpx.Response | None:
    headers = {"Authorization": f"Bearer {person.token}"}
    request = person.http.build_request("GET", "/api/v1/desks/intake/changes", headers=headers)
    response = person.http.send(request, stream=True)
    return response if response.status_code == 200 else response.close()
