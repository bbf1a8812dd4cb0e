"""The public figures as open data."""

import csv
import io

import pytest
from flask.testing import FlaskClient

from gateway.api.figures import harmless
from tests.unit.gateway.visits import FIGURES, FakeBackend

MONTH = {"month": "2026-02", "accepted": 31, "answered": 28, "closed": None, "categories": {"kode-etik": 17}}
STRETCH = FIGURES["last_12_months"]
KNOWN = FIGURES | {"this_month": STRETCH, "months": [MONTH, MONTH | {"accepted": None, "categories": {}}]}
ADDRESSES = ("/api/v1/figures", "/api/v1/figures.csv")


@pytest.fixture(autouse=True)
def _known(stages: FakeBackend) -> None:
    stages.answers["figures"] = KNOWN


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("address", ADDRESSES)
def test_they_are_cached_by_anybody_and_read_by_any_site(client: FlaskClient, address: str) -> None:
    answer = client.get(address, headers={"Origin": "https://elsewhere.example"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=60"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("address", ADDRESSES)
def test_who_has_them_already_is_told_so(client: FlaskClient, stages: FakeBackend, address: str) -> None:
    first = client.get(address)
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert again.headers["Cache-Control"] == "public, max-age=60"
    assert "Cross-Origin-Resource-Policy" in again.headers
    head = client.head(address, headers={"If-None-Match": '"another"'})
    assert (head.status_code, head.headers["ETag"]) == (200, first.headers["ETag"])
    stages.answers["figures"] = KNOWN | {"months": [MONTH | {"accepted": 32}]}
    changed = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (changed.status_code, changed.headers["ETag"] == first.headers["ETag"]) == (200, False)


def test_a_withheld_category_is_listed_as_one_that_had_none(client: FlaskClient) -> None:
    first, second = client.get("/api/v1/figures").json["months"]
    assert first["categories"] == [{"key": "kode-etik", "accepted": 17}]
    assert second["categories"] == [{"key": "kode-etik", "accepted": None}]


def test_the_table_has_a_line_for_each_month_and_each_of_its_categories(client: FlaskClient) -> None:
    answer = client.get("/api/v1/figures.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    rated = ["ratings", "rating_average", *(f"rated_{rating}" for rating in range(1, 6))]
    none = [""] * len(rated)
    assert rows(answer.text) == [
        ["month", "category", "name", "accepted", "answered", "closed", *rated],
        ["2026-02", "", "", "31", "28", "", *none],
        ["2026-02", "kode-etik", "Kode etik", "17", "", "", *none],
        ["2026-02", "", "", "", "28", "", *none],
        ["2026-02", "kode-etik", "Kode etik", "", "", "", *none],
    ]


def test_a_months_ratings_are_told_and_null_where_an_earlier_notification_counts_none(
    client: FlaskClient, stages: FakeBackend
) -> None:
    few = {"count": None, "average": None}
    assert client.get("/api/v1/figures").json["last_12_months"]["ratings"] == few
    assert client.get("/api/v1/figures").json["months"][0]["ratings"] == few | {
        "by_rating": [{"rating": rating, "count": None} for rating in range(1, 6)]
    }
    by_rating = {"1": 5, "2": 5, "3": 5, "4": 7, "5": 10}
    told = {"count": 32, "average": 3.4, "by_rating": by_rating}
    stages.answers["figures"] = KNOWN | {"months": [MONTH | {"ratings": told}]}
    assert client.get("/api/v1/figures").json["months"][0]["ratings"] == {
        "count": 32,
        "average": 3.4,
        "by_rating": [{"rating": int(rating), "count": count} for rating, count in by_rating.items()],
    }
    assert rows(client.get("/api/v1/figures.csv").text)[1][6:] == ["32", "3.4", "5", "5", "5", "7", "10"]


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", '=HYPERLINK("http://x")']
)
def test_no_spreadsheet_calculates_a_name(client: FlaskClient, stages: FakeBackend, name: str) -> None:
    assert harmless(name) == f"'{name}"
    assert harmless("Kode etik – é") == "Kode etik – é"


def test_figures_of_an_earlier_notification_have_no_months(client: FlaskClient, stages: FakeBackend) -> None:
    stages.answers["figures"] = FIGURES | {"this_month": STRETCH}
    assert client.get("/api/v1/figures").json["months"] == []
    assert len(rows(client.get("/api/v1/figures.csv").text)) == 1
