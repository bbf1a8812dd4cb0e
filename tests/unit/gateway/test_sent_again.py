"""A form that is sent again gets its receipt also where its uploads are gone: intake says what it has attached."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.builders import REPORT, TICKET, own_upload
from tests.unit.gateway.test_uploads_api import PATH, TUS, uploads
from tests.unit.gateway.visits import FakeBackend

__all__ = ["uploads"]

ATTACHED = [own_upload(), own_upload()]
IDS = [each["id"] for each in ATTACHED]
RECEIPT = {"ticket": TICKET, "submitted_at": "2026-03-02T00:00:00+07:00", "stands": {"state": "hand_over", "step": 2}}

pytestmark = pytest.mark.usefixtures("uploads")


@pytest.fixture
def reporter(opened: Callable[..., dict[str, Any]]) -> dict[str, str]:
    return {"Authorization": f"Bearer {opened()['access_token']}", "Idempotency-Key": "k"}


def test_a_report_names_what_intake_attached_in_place_of_uploads_that_are_gone(
    client: FlaskClient, stages: FakeBackend, reporter: dict[str, str]
) -> None:
    stages.answers |= {"attached_before": ATTACHED, "submit": RECEIPT}
    answer = client.post("/api/v1/complaints", json=REPORT | {"files": [*IDS, IDS[0]]}, headers=reporter)
    assert answer.status_code == 201, answer.text
    asked = dict(stages.asked)
    assert asked["attached_before"] == (IDS,)
    assert asked["submit"][0]["files"] == ATTACHED


def test_what_was_added_is_answered_again_too(
    client: FlaskClient, stages: FakeBackend, reporter: dict[str, str]
) -> None:
    stages.answers |= {"attached_before": ATTACHED, "supplement": {"files": []}}
    answer = client.post(f"/api/v1/complaints/{TICKET}/supplements", json={"files": IDS}, headers=reporter)
    assert answer.status_code == 201, answer.text
    assert dict(stages.asked)["supplement"] == (TICKET, ATTACHED)


@pytest.mark.parametrize("attached", [[], ATTACHED[:1]], ids=["none", "one"])
def test_uploads_that_are_gone_and_were_not_attached_are_not_there(
    client: FlaskClient, stages: FakeBackend, reporter: dict[str, str], attached: list[dict[str, Any]]
) -> None:
    stages.answers["attached_before"] = attached
    answer = client.post("/api/v1/complaints", json=REPORT | {"files": IDS}, headers=reporter)
    assert answer.status_code == 404, answer.text
    assert "submit" not in dict(stages.asked)


def test_an_upload_that_is_not_whole_yet_is_waited_for(
    client: FlaskClient, stages: FakeBackend, reporter: dict[str, str]
) -> None:
    begun = client.post(PATH, headers=reporter | TUS | {"Upload-Length": "10"}).headers["Location"]
    answer = client.post("/api/v1/complaints", json=REPORT | {"files": [begun[-22:]]}, headers=reporter)
    assert answer.json is not None
    assert (answer.status_code, answer.json["type"].rpartition(":")[2]) == (409, "upload-not-ready")
    assert "attached_before" not in dict(stages.asked)
