import json
from collections import Counter, deque
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import permutations
from queue import Empty
from types import SimpleNamespace

import pytest
from flask import Flask

from gateway import live
from gateway.desks import ANSWERS, INTAKE, OPD, TRIAGE
from gateway.live import CHANGES, LiveFeed, TooManyStreamsError
from nkk.contracts import EVENTS
from nkk.contracts.asyncapi import SAMPLES
from nkk.contracts.events import CaseRecused
from nkk.trust.actor import Actor

TEAM = Actor("staff-1", "opd_team", "disdukcapil")


class Message:
    """A message as the broker delivers it."""

    def __init__(self, body, exchange="triage.events", routing_key="x"):
        self.body = body
        self.delivery_info = {"exchange": exchange, "routing_key": routing_key}


class Clock:
    """A clock that advances only while a stream waits for news."""

    def __init__(self):
        self.now = 1_000.0

    def news(self):
        clock = self

        class News(deque):
            put = deque.append

            def get(self, timeout):
                if self:
                    return self.popleft()
                clock.now += timeout + 0.001
                raise Empty

        return News()


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(live, "monotonic", lambda: clock.now)
    monkeypatch.setattr(live, "SimpleQueue", clock.news)
    return clock


@pytest.fixture
def feed(monkeypatch):
    """A feed that gets events only from the test."""
    monkeypatch.setattr(LiveFeed, "_listen", lambda self: None)
    return LiveFeed("amqp://nowhere", 3)


def sample(event, **changed):
    body = json.loads((SAMPLES / f"{event.TYPE}.json").read_text("utf-8"))
    body["data"] |= changed
    return Message(json.dumps(body), f"{event.SERVICES[0]}.events", event.TYPE)


def told(stream):
    """Return everything but comments and the first line, up to the stream's end."""
    return [text for text in stream if not text.startswith((":", "retry:"))]


def test_a_desk_hears_what_changes_it_and_nothing_else(feed):
    for event in EVENTS:
        streams = {desk: feed.open(desk, None, "one", 60) for desk in (INTAKE, TRIAGE, ANSWERS)}
        feed._hear(sample(event))
        heard = {desk for desk, stream in streams.items() if stream._news}
        assert heard == set(CHANGES.get(event, ())) - {OPD}, event.TYPE
        for stream in streams.values():
            stream.close()


def test_a_team_hears_of_its_own_agency_only(feed):
    own, other, none = (feed.open(OPD, opd, "one", 60) for opd in ("disdukcapil", "dinas-sosial", None))
    for event in EVENTS:
        feed._hear(sample(event, opd="disdukcapil") if "opd" in event.SCHEMA.fields else sample(event))
    assert len(own._news) == sum(OPD in desks for desks in CHANGES.values())
    assert not other._news
    assert not none._news


def test_every_event_that_changes_the_agencies_desk_names_the_agency():
    for event, desks in CHANGES.items():
        if OPD in desks:
            # Questions, and what is closed because of one, are of any desk: the agency is named where it is one's.
            assert event.SCHEMA.fields["opd"].required or event.TYPE.startswith(("question.", "complaint.abandoned."))


def test_a_change_is_told_with_the_events_id_and_nothing_of_its_content(feed):
    stream = feed.open(OPD, "disdukcapil", "one", live.AGAIN_SECONDS - 1)
    feed._hear(sample(live.ComplaintForwarded, opd="disdukcapil"))
    event_id = json.loads((SAMPLES / "complaint.forwarded.v1.json").read_text("utf-8"))["id"]
    assert told(stream) == [f'event: change\nid: {event_id}\ndata: {{"desk": "opd", "opd": "disdukcapil"}}\n\n']


def test_what_comes_together_is_told_together_and_once_more_for_a_slow_stage(feed):
    stream = feed.open(TRIAGE, None, "one", 60)
    for _ in range(50):
        feed._hear(sample(live.ResponseSubmitted))
    assert len(told(stream)) == 2


def test_a_message_that_is_no_event_is_passed_over(feed):
    stream = feed.open(TRIAGE, None, "one", 60)
    for body in ("", "not json", "{}", b"\xff"):
        feed._hear(Message(body))
    assert told(stream) == []


def test_what_another_than_its_owner_tells_is_passed_over(feed):
    stream = feed.open(ANSWERS, None, "one", 60)
    body = sample(live.ResponseApproved).body
    for exchange, key in (
        ("opd_response.events", "response.approved.v1"),
        ("triage.moves", "response.approved.v1"),
        ("triage.events", "response.returned.v1"),
        ("", "live.gateway-1"),
    ):
        feed._hear(Message(body, exchange, key))
    feed._hear(Message(body.replace("/nkk/triage", "/nkk/opd_response"), "triage.events", "response.approved.v1"))
    assert told(stream) == []


def test_a_page_is_told_when_the_feed_listens_and_opens_another_stream_when_it_listens_again(feed, clock):
    stream = feed.open(ANSWERS, None, "one", 60)
    feed._tell_ready()
    assert told(stream) == ['event: ready\ndata: {"desk": "answers"}\n\n']
    # Nobody heard who stepped aside meanwhile: that is asked for when a stream opens.
    missed, began = feed.open(ANSWERS, None, "one", 60), clock.now
    feed._tell_ready()
    assert told(missed) == []
    assert clock.now == began
    assert told(feed.open(ANSWERS, None, "one", 60)) == ['event: ready\ndata: {"desk": "answers"}\n\n']


def test_a_silent_stream_beats_every_fifteen_seconds(feed, clock):
    beats = [clock.now for text in feed.open(INTAKE, None, "one", 100) if text.startswith(":")]
    assert [round(beat - 1_000) for beat in beats] == [15, 30, 45, 60, 75, 90]


def test_a_stream_ends_when_its_page_hangs_up(feed):
    gone: list[bool] = []
    stream = feed.open(INTAKE, None, "one", 60)
    stream.watch(lambda: bool(gone))
    texts = iter(stream)
    assert next(texts) == "retry: 5000\n\n"
    stream.tell()
    assert next(texts).startswith("event: ready")
    gone.append(True)
    assert list(texts) == []


def test_there_are_as_many_streams_as_may_be_and_a_closed_one_makes_room(feed):
    streams = [feed.open(INTAKE, None, "one", 60) for _ in range(3)]
    with pytest.raises(TooManyStreamsError):
        feed.open(TRIAGE, None, "one", 60)
    streams[0].close()
    streams[0].close()
    feed.open(TRIAGE, None, "one", 60)
    with pytest.raises(TooManyStreamsError):
        feed.open(TRIAGE, None, "one", 60)


def test_one_account_takes_what_is_free_and_keeps_nothing_from_another(feed):
    greedy = [feed.open(INTAKE, None, "greedy", 60) for _ in range(3)]
    first = feed.open(TRIAGE, None, "modest", 60)
    assert list(greedy[0]) == ["retry: 5000\n\n"]
    assert set(feed._streams) == {*greedy[1:], first}
    # The places are split two and one; a further stream would only take the place back.
    for account in ("greedy", "modest"):
        with pytest.raises(TooManyStreamsError):
            feed.open(TRIAGE, None, account, 60)
    third = feed.open(ANSWERS, None, "third", 60)
    assert set(feed._streams) == {greedy[2], first, third}
    with pytest.raises(TooManyStreamsError):
        feed.open(ANSWERS, None, "fourth", 60)


@pytest.mark.parametrize("order", list(permutations(["a", "a", "a", "b", "b", "c"]))[::97])
def test_whoever_comes_in_whatever_order_the_places_are_shared_evenly(monkeypatch, order):
    monkeypatch.setattr(LiveFeed, "_listen", lambda self: None)
    feed = LiveFeed("amqp://nowhere", 3)
    for account in order:
        with suppress(TooManyStreamsError):
            feed.open(INTAKE, None, account, 60)
    assert Counter(stream.account for stream in feed._streams) == {"a": 1, "b": 1, "c": 1}


def test_a_stream_that_gives_way_ends_at_once(feed):
    stream = feed.open(INTAKE, None, "one", 60)
    texts = iter(stream)
    assert next(texts) == "retry: 5000\n\n"
    stream.give_way()
    assert list(texts) == []


def test_streams_end_when_the_process_is_to_end(feed):
    stream = feed.open(INTAKE, None, "one", 60)
    feed.is_leaving = lambda: True
    assert list(stream) == ["retry: 5000\n\n"]


def test_none_may_be_open_where_none_are_wanted(monkeypatch):
    monkeypatch.setattr(LiveFeed, "_listen", lambda self: None)
    with pytest.raises(TooManyStreamsError):
        LiveFeed("amqp://nowhere", 0).open(INTAKE, None, "one", 60)


@pytest.mark.parametrize(("expires_in", "least", "most"), [(5, 4, 5), (3_600, 540, 660), (-5, -6, 0)])
def test_a_stream_lasts_ten_minutes_and_no_longer_than_the_token(feed, monkeypatch, expires_in, least, most):
    lasting = []
    monkeypatch.setattr(feed, "open", lambda *asked: lasting.append(asked))
    app = Flask(__name__)
    app.extensions |= {"live": feed, "nkk": SimpleNamespace(call=lambda *asked: [*asked])}
    with app.app_context():
        live.stream_for(
            OPD, Actor(TEAM.id, TEAM.role, TEAM.group, None, datetime.now(UTC) + timedelta(seconds=expires_in))
        )
    assert lasting[0][:3] == (OPD, "disdukcapil", TEAM.id)
    assert least <= lasting[0][3] <= most
    assert lasting[0][4:] == (None, ["opd_response", "recused_from"])


def test_a_feed_does_not_grow_with_what_it_knows(feed, monkeypatch):
    monkeypatch.setattr(live, "MOST_KNOWN", 2)
    accounts = [f"account-{n}" for n in range(3)]
    for account in accounts:
        feed._hear(sample(CaseRecused, account=account))
    assert [account for _, account in feed._recused] == accounts[1:]


def test_a_page_that_left_before_a_word_was_sent_makes_room(feed):
    app = Flask(__name__)
    with app.test_request_context():
        live.as_response(feed.open(INTAKE, None, "one", 60)).close()
    assert not feed._streams


BARRED = json.loads((SAMPLES / "complaint.forwarded.v1.json").read_text("utf-8"))["data"]["barred"]


def test_an_account_is_not_told_that_a_report_about_its_person_changed_anything(feed):
    for event, desks in CHANGES.items():
        for desk in desks:
            accused, other, unnamed = (feed.open(desk, "disdukcapil", "one", 60, nip) for nip in (BARRED, "x", None))
            message = sample(event, opd="disdukcapil") if "opd" in event.SCHEMA.fields else sample(event)
            told = json.loads(message.body)
            feed._about = {told["subject"]: BARRED, told["data"].get("first"): None}
            feed._hear(message)
            assert not accused._news, event.TYPE
            assert other._news, event.TYPE
            assert unnamed._news, event.TYPE
            for stream in (accused, other, unnamed):
                stream.close()


def test_of_what_is_not_known_nobody_is_told_whose_person_it_may_be_about(feed, monkeypatch):
    named, unnamed = (feed.open(TRIAGE, None, "one", 60, nip) for nip in ("x", None))
    feed._hear(sample(live.ResponseSubmitted))
    assert not named._news
    assert len(unnamed._news) == 1
    feed._hear(sample(live.ComplaintHandedOver, barred=None))
    assert len(named._news) == 1
    monkeypatch.setattr(live, "MOST_KNOWN", 0)
    feed._hear(sample(live.ComplaintHandedOver, barred=None))
    assert feed._about == {}


@pytest.mark.parametrize(
    ("about", "hears"),
    [
        ({"first": BARRED, "second": None}, ["x"]),
        ({"first": None, "second": BARRED}, ["x"]),
        ({"first": BARRED, "second": BARRED}, ["x"]),
        ({"first": "x", "second": BARRED}, []),
        ({"second": None}, []),
        ({"first": None}, []),
        ({"first": None, "second": None}, [BARRED, "x"]),
    ],
    ids=str,
)
@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("which", ["first", "second"])
def test_of_joined_reports_each_is_about_the_person_of_the_other(feed, about, hears, which, later):
    message = sample(live.ComplaintJoined)
    joined = json.loads(message.body)
    tickets = {"first": joined["data"]["first"], "second": joined["subject"]}
    feed._about = {tickets[name]: person for name, person in about.items()}
    feed._hear(message)
    if later:
        feed._learn(tickets["first"], {"barred": about.get("first")})
    streams = [feed.open(TRIAGE, None, nip, 60, nip) for nip in (BARRED, "x")]
    assert [stream.barred for stream in streams if feed._may_hear(stream, tickets[which])] == hears


def test_the_stream_of_an_account_whose_nip_is_known_ends_sooner_so_that_its_page_loads_the_list(feed):
    app = Flask("x")
    app.extensions |= {"live": feed, "nkk": SimpleNamespace(call=lambda *_: [])}
    named = Actor("staff-1", "main_team", barred=BARRED)
    with app.app_context():
        assert live.stream_for(TRIAGE, named)._ends <= live.monotonic() + 1.1 * live.LASTS_WITH_NIP_SECONDS
