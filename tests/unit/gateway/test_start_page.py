"""The figures on the start page."""

import pytest
from flask.testing import FlaskClient

from gateway.backend import Kept
from nkk.messaging.calls import StageUnavailableError
from tests.unit.gateway.visits import FIGURES, FakeBackend

MANY = {"accepted": 1250, "answered": 1200, "closed": 1100, "in_time_share": 0.975, "median_minutes": 500}
FEW = {"accepted": 5, "answered": None, "closed": None, "in_time_share": None, "median_minutes": None}
TOO_FEW = "masih terlalu sedikit"


@pytest.mark.parametrize(
    ("language", "shown"),
    [("id", ["1.250", "1.200", "97,5%", "1 hari kerja"]), ("en", ["1,250", "1,200", "97.5%", "1 working day"])],
)
def test_they_are_written_as_the_language_writes_them(
    client: FlaskClient, stages: FakeBackend, language: str, shown: list[str]
) -> None:
    stages.answers["figures"] = FIGURES | {"last_12_months": MANY}
    client.set_cookie("nkk_language", language)
    page = client.get("/").text
    assert [text for text in shown if text not in page] == []
    assert TOO_FEW not in page


def test_where_there_are_too_few_the_page_says_so(client: FlaskClient, stages: FakeBackend) -> None:
    stages.answers["figures"] = FIGURES | {"last_12_months": FEW}
    page = client.get("/").text
    assert TOO_FEW in page
    assert "<dd>kurang dari 5</dd>" in page
    assert "%" not in page.split('class="figures"')[1].split("</dl>")[0]


@pytest.mark.parametrize(("language", "average"), [("id", "3,8"), ("en", "3.8")])
def test_the_average_rating_is_told_once_there_is_one(
    client: FlaskClient, stages: FakeBackend, language: str, average: str
) -> None:
    client.set_cookie("nkk_language", language)
    for told, shown in ({"count": 31, "average": 3.8}, True), ({"count": None, "average": None}, False):
        stages.answers["figures"] = FIGURES | {"last_12_months": MANY | {"ratings": told}}
        assert (f"<dd>{average}</dd>" in client.get("/").text) is shown


def test_a_report_of_today_is_said_to_be_counted_tomorrow(client: FlaskClient) -> None:
    assert "hari ini baru dihitung besok" in client.get("/").text


def test_the_page_does_without_them_where_notification_is_away(client: FlaskClient, stages: FakeBackend) -> None:
    stages.answers["figures"] = StageUnavailableError("notification")
    response = client.get("/")
    assert response.status_code == 200
    assert 'class="figures"' not in response.text


def test_a_stage_that_did_not_answer_is_not_waited_for_again_at_once() -> None:
    asked: list[int] = []

    def ask() -> dict[str, int]:
        asked.append(1)
        raise StageUnavailableError("notification")

    for pause, times in ((60.0, 1), (0.0, 2)):
        asked.clear()
        kept = Kept(60, ask, pause)
        for _ in range(2):
            with pytest.raises(StageUnavailableError):
                kept.get()
        assert len(asked) == times
