"""The public figures."""

import csv
import io

from tests.people import People, travel_as_information


def test_anybody_sees_how_much_and_how_fast_and_nothing_of_anyone(people: People) -> None:
    ticket = travel_as_information(people, people.reporter())
    response = people.anyone.ask("GET", "/figures")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "public, max-age=60"
    found = response.json()
    assert set(found) == {"as_of", "promised_minutes", "last_12_months", "this_month", "months"}
    for part in ("last_12_months", "this_month"):
        assert set(found[part]) == {
            "since",
            "accepted",
            "answered",
            "closed",
            "in_time_share",
            "median_minutes",
            "ratings",
        }
        assert (found[part]["median_minutes"] is None) == (found[part]["answered"] is None)
    assert [set(month) for month in found["months"]] == [
        {"month", "accepted", "answered", "closed", "categories", "ratings"}
    ] * 12
    assert ticket not in response.text
    table = people.anyone.ask("GET", "/figures.csv")
    assert table.status_code == 200
    months = {line["month"] for line in csv.DictReader(io.StringIO(table.text))}
    assert months == {month["month"] for month in found["months"]}
    # The figures are cached for a minute, so that many visitors do not cause as many queries.
    assert people.anyone.get("/figures") == found
