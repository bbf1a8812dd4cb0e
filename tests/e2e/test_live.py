"""The live feed, by which new work appears on a desk's page."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from time import monotonic

import httpx
import pytest

from nkk.settings.keys import as_pem
from nkk.trust.actor import LIFETIME, Actor, grant
from ops.stack.broker import PrivateNode
from tests.installations import Installation, eventually, installation, new_vhost
from tests.people import People, Person
from tests.problems import problem

DATABASES = ["postgres"]

LASTING = {"timeout": 60}


def events(response: httpx.Response) -> Iterator[dict[str, str]]:
    """Yield the events of a stream, each as a dict of its fields."""
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
    with (
        people.main_team.stream("GET", "/desks/triage/changes", **LASTING) as triage,
        people.operator.stream("GET", "/desks/intake/changes", **LASTING) as intake,
    ):
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
        # The change may arrive before the worklist shows it; then another one follows.
        eventually(lambda: ticket in people.main_team.desk("triage"), patience=5)


def test_a_team_is_told_of_its_own_agency_only(people: People) -> None:
    reporter, own, other = people.reporter(), people.opd_team("dinas-sosial"), people.opd_team("satpol-pp")
    first, second = people.submit(reporter), people.submit(reporter)
    for ticket in (first, second):
        people.operator.post(f"/complaints/{ticket}/handover")
        eventually(lambda ticket=ticket: ticket in people.main_team.desk("triage"))
    with (
        own.stream("GET", "/desks/opd/changes", **LASTING) as mine,
        other.stream("GET", "/desks/opd/changes", **LASTING) as theirs,
    ):
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


# -- at an installation that allows two streams


@pytest.fixture(scope="module")
def narrow(rabbit: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(
        tmp_path_factory.mktemp("narrow"), new_vhost(rabbit), settings={"NKK_LIVE_STREAMS": "2"}
    ) as running:
        yield running


def test_where_no_more_may_listen_a_page_is_sent_to_ask_now_and_then_until_one_has_gone(narrow: Installation) -> None:
    people = People(narrow)
    team = people.opd_team("dinas-sosial")
    with (
        people.operator.stream("GET", "/desks/intake/changes", **LASTING) as first,
        people.main_team.stream("GET", "/desks/triage/changes", **LASTING) as second,
    ):
        # Kept in a variable, because a garbage-collected stream is closed.
        texts = events(first), events(second)
        assert [next(each)["event"] for each in texts] == ["ready", "ready"]
        refused = team.ask("GET", "/desks/opd/changes")
        problem(refused, 503, "too-many-streams")
        assert int(refused.headers["Retry-After"]) >= 30
        assert team.desk("opd") == []
    eventually(lambda: team.status("GET", "/desks/opd/changes") == 200)
    people.close()


@pytest.mark.parametrize("address", ["/api/v1/desks/triage/changes", "/meja/tim-utama/perubahan"], ids=["API", "page"])
def test_one_account_keeps_no_place_from_another(narrow: Installation, address: str) -> None:
    people = People(narrow)
    with (
        closing(eventually(lambda: _listening(people.operator))) as first,
        closing(eventually(lambda: _listening(people.operator))) as second,
    ):
        told, kept = events(first), events(second)
        assert next(told)["event"] == next(kept)["event"] == "ready"
        token = people.main_team.token
        headers = {"Authorization": f"Bearer {token}", "Cookie": f"nkk_access={token}"}
        with people.http.stream("GET", address, headers=headers, timeout=60) as other:
            assert other.status_code == 200
            texts = events(other)
            assert next(texts)["event"] == "ready"
            # The operator's older stream was closed, since each account may now keep one.
            assert [each["event"] for each in told] in ([], ["ready"])
            assert people.operator.status("GET", "/desks/intake/changes") == 503
            assert people.http.get(address, headers=headers).status_code == 503
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
