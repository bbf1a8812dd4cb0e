"""An invalid box has no effect on intake, whichever method it is sent to."""

import inspect
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nkk.messaging.boxes import Question, StaleBoxError, UnreadableBoxError
from services.intake.service import IntakeService
from tests.boxes import called_by, proved
from tests.intake import CALLS, OPERATOR, PUBLIC, intake_at, question, sent, stored


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[IntakeService]:
    """Intake, whose database must not change."""
    with intake_at(f"sqlite:///{tmp_path}/intake.db") as service:
        before = stored(service)
        yield service
        assert stored(service) == before


def layers(method: Any) -> Iterator[Any]:
    """Yield a method and what its decorators wrap."""
    while inspect.isfunction(method):
        yield method
        method = getattr(method, "__wrapped__", None)


def test_every_method_that_takes_a_box_is_tried() -> None:
    boxed = {
        name
        for name, method in inspect.getmembers(IntakeService)
        if "opened" in {layer.__code__.co_name for layer in layers(method)}
    }
    assert set(CALLS) == boxed


@pytest.mark.parametrize("age", [31, -31])
def test_a_box_that_was_sealed_long_ago_or_is_of_the_future_does_nothing(intake: IntakeService, age: int) -> None:
    for method, (actor, _) in CALLS.items():
        box = question(method, datetime.now(UTC) - timedelta(seconds=age)).box
        with pytest.raises(StaleBoxError):
            sent(intake, method, box, actor)


def test_a_box_for_any_other_method_does_nothing(intake: IntakeService) -> None:
    boxes = {method: question(method).box for method in CALLS}
    for method, (actor, _) in CALLS.items():
        for other in CALLS.keys() - {method}:
            with pytest.raises(UnreadableBoxError):
                sent(intake, method, boxes[other], actor)


def test_a_box_beside_another_access_token_than_its_owners_does_nothing(intake: IntakeService) -> None:
    """A box is also refused beside another token of the same account and role, or if it was sealed without a token."""
    for method, (actor, content) in CALLS.items():
        if actor is None:
            continue
        with pytest.raises(UnreadableBoxError):
            getattr(called_by(intake, actor), method)(question(method).box)
        for proof in (None, "", "a" * 64):
            with pytest.raises(UnreadableBoxError):
                sent(intake, method, Question(method, content, PUBLIC, proof).box, actor)


@pytest.mark.parametrize("args", [(), ("x",), (None,), ({},), ([],), (7,), ("x", "a reply key")], ids=str)
def test_what_is_no_box_does_nothing(intake: IntakeService, args: tuple[Any, ...]) -> None:
    for method, (actor, _) in CALLS.items():
        with pytest.raises(UnreadableBoxError):
            getattr(called_by(intake, actor and proved(actor)), method)(*args)


def test_a_gateway_of_the_version_before_is_not_given_who_reported(intake: IntakeService) -> None:
    with pytest.raises(UnreadableBoxError):
        called_by(intake, OPERATOR).complaint("open", PUBLIC)
