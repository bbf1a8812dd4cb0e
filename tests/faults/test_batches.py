"""Many events heard in one transaction: whatever befalls one of them, each has its effect once."""

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from nkk.contracts import EventData
from nkk.contracts.events import ComplaintHandedOver, ComplaintSubmitted
from nkk.messaging.publisher import publisher
from nkk.sop.ticket import new_ticket
from ops.stack import quarantine
from tests.builders import REPORT
from tests.faults import stages
from tests.faults.trial import Trial, inboxed
from tests.installations import eventually

NOTIFICATION = "notification-1"
NOW = datetime.now(UTC)
DUE = NOW + timedelta(days=2)
SUBMITTED, HANDED_OVER = ComplaintSubmitted.TYPE, ComplaintHandedOver.TYPE


@pytest.fixture(autouse=True)
def working_again(trial: Trial) -> Iterator[None]:
    """Notification is up and its accidents are over when a test is done."""
    yield
    for accident in trial.accidents.iterdir():
        accident.unlink()
    if not trial.installation.stack.programs[NOTIFICATION].running:
        trial.installation.bring_up(NOTIFICATION)
    eventually(lambda: trial.consumers("notification.inbox") == 1)


def tickets(trial: Trial, count: int) -> list[str]:
    """Tickets of complaints that no stage tells of."""
    made = [new_ticket(2026) for _ in range(count)]
    trial.books.foreign.update(made)
    return made


def story(trial: Trial, ticket: str) -> list[EventData]:
    """What is told of a complaint until it is handed over."""
    return [
        trial.installation.submitted(ticket),
        ComplaintHandedOver(
            ticket=ticket,
            reporter_kind="public",
            confidential=False,
            submitted_at=NOW,
            service_due_at=DUE,
            by="staff-1",
            **REPORT,
        ),
    ]


def tell(trial: Trial, told: list[EventData]) -> list[str]:
    """Put all of `told` into notification's inbox, in order; the events' ids."""
    ids = [str(uuid.uuid4()) for _ in told]
    with publisher(trial.installation.uri) as channel:
        published = channel.publish(
            [
                inboxed(
                    trial.installation.uri,
                    "notification.inbox",
                    data.to_json(event_id, NOW),
                    id=event_id,
                    type=data.TYPE,
                )
                for event_id, data in zip(ids, told, strict=True)
            ]
        )
    assert published == set(ids)
    return ids


def noted(trial: Trial, made: list[str]) -> Counter[tuple[str, str]]:
    """How often notification noted which event of these complaints."""
    rows = trial.books.rows("notification", "SELECT ticket, type FROM entries")
    return Counter(row for row in rows if row[0] in made)


def receipts(trial: Trial, made: list[str]) -> Counter[str]:
    """How many receipts it wrote for each of them."""
    rows = trial.books.rows("notification", "SELECT ticket FROM messages WHERE kind = 'received'")
    return Counter(row[0] for row in rows if row[0] in made)


def once(made: list[str]) -> Counter[tuple[str, str]]:
    return Counter((ticket, type_) for ticket in made for type_ in (SUBMITTED, HANDED_OVER))


def heard(trial: Trial, ids: list[str]) -> list[dict]:
    """The log's lines of those of these events that were handled."""
    return [line for line in trial.logged(NOTIFICATION, "event handled") if line["event_id"] in ids]


def test_what_waits_is_handled_together_once_and_in_the_order_of_each_complaint(trial: Trial) -> None:
    made = tickets(trial, 30)
    trial.installation.take_down(NOTIFICATION)
    ids = tell(trial, [data for ticket in made for data in story(trial, ticket)])
    trial.installation.bring_up(NOTIFICATION)
    eventually(lambda: noted(trial, made) == once(made))
    assert receipts(trial, made) == Counter(made)
    eventually(lambda: len(heard(trial, ids)) == 2 * len(made))
    lines = heard(trial, ids)
    assert max(line["batch"] for line in lines) > 1
    handled = [line["event_id"] for line in lines]
    for submitted, handed_over in zip(ids[::2], ids[1::2], strict=True):
        assert [id_ for id_ in handled if id_ in (submitted, handed_over)] == [submitted, handed_over]
    eventually(lambda: trial.depth("notification.inbox") == 0)


def test_an_event_told_twice_has_one_effect_though_both_are_handled_together(trial: Trial) -> None:
    made = tickets(trial, 5)
    trial.installation.take_down(NOTIFICATION)
    told = [data for ticket in made for data in story(trial, ticket)]
    event_id = str(uuid.uuid4())
    with publisher(trial.installation.uri) as channel:
        for _ in range(2):
            channel.publish(
                [
                    inboxed(
                        trial.installation.uri,
                        "notification.inbox",
                        told[0].to_json(event_id, NOW),
                        id=event_id,
                        type=SUBMITTED,
                    )
                ]
            )
    tell(trial, told[1:])
    trial.installation.bring_up(NOTIFICATION)
    eventually(lambda: noted(trial, made) == once(made))
    assert receipts(trial, made) == Counter(made)
    eventually(lambda: len(trial.logged(NOTIFICATION, "event already handled", event_id=event_id)) == 1)


def test_one_of_many_that_fails_is_retried_and_quarantined_alone(trial: Trial) -> None:
    made = tickets(trial, 20)
    poison = made[9]
    trial.ask_for(stages.NOT_NOTED + poison)
    trial.installation.take_down(NOTIFICATION)
    ids = tell(trial, [data for ticket in made for data in story(trial, ticket)])
    trial.installation.bring_up(NOTIFICATION)
    others = once(made) - Counter([(poison, HANDED_OVER)])
    eventually(lambda: noted(trial, made) == others)
    eventually(lambda: trial.depth("notification.quarantine") == 1)
    (item,) = trial.quarantined("notification")
    assert item.id == ids[19]
    assert item.summary()["reason"].startswith("gave up after 4 attempts: RuntimeError")
    assert noted(trial, made) == others
    assert receipts(trial, made) == Counter(made)
    assert trial.logged(NOTIFICATION, "batch rolled back, each event is handled alone")
    trial.call_off(stages.NOT_NOTED + poison)
    quarantine.retry(trial.installation.uri, "notification", {item.id})
    eventually(lambda: noted(trial, made) == once(made))


def test_a_death_among_many_undoes_and_loses_none_of_them(trial: Trial) -> None:
    made = tickets(trial, 20)
    accident = stages.NOTED + made[12]
    trial.ask_for(accident)
    trial.installation.take_down(NOTIFICATION)
    tell(trial, [data for ticket in made for data in story(trial, ticket)])
    trial.installation.bring_up(NOTIFICATION)
    trial.happened(accident)
    eventually(lambda: noted(trial, made) == once(made))
    assert receipts(trial, made) == Counter(made)
    eventually(lambda: trial.depth("notification.inbox") == 0)


def test_a_stage_told_to_end_among_many_finishes_what_it_holds_and_leaves_the_rest(trial: Trial) -> None:
    made = tickets(trial, 100)
    ids = tell(trial, [data for ticket in made for data in story(trial, ticket)])
    eventually(lambda: noted(trial, made))
    trial.installation.take_down(NOTIFICATION)
    trial.installation.bring_up(NOTIFICATION)
    eventually(lambda: noted(trial, made) == once(made))
    assert receipts(trial, made) == Counter(made)
    lines = [
        line
        for event in ("event already handled", "stopped with messages in flight")
        for line in trial.logged(NOTIFICATION, event)
        if line.get("event_id", ids[0]) in ids
    ]
    assert lines == []
    assert "lost with the connection" not in trial.installation.log(NOTIFICATION)
