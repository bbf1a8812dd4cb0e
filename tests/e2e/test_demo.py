"""The demonstration on a whole installation: each of its reports that has an act beside the path, to its end."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nkk.contracts import STAGES
from nkk.sop.steps import Role
from ops.demo import journey
from ops.demo.aging import age
from ops.demo.lapsing import let_lapse
from tests.people import People

pytestmark = pytest.mark.long

DATABASES = ["postgres"]


def with_acts(data: dict[str, Any]) -> dict[str, Any]:
    """Return the demonstration with those reports alone that have acts, and those that they are joined with."""
    acted = [item for item in data["complaints"] if "acts" in item or "channel" in item]
    firsts = {act["form"].get("first") for item in acted for act in item.get("acts", ())}
    with_them = [item for item in data["complaints"] if item in acted or item["form"]["subject_line"] in firsts]
    return data | {"complaints": with_them}


def staying(data: dict[str, Any]) -> dict[str, Any]:
    """Return the demonstration with those reports alone that stay at a step."""
    return data | {"complaints": [item for item in data["complaints"] if "stays" in item]}


def staff(people: People) -> dict[str, Any]:
    """Return the logins as the demonstration reads them."""
    return {
        Role.OPERATOR: people.credentials("operator"),
        Role.MAIN_TEAM: people.credentials("main_team"),
        Role.OPD_TEAM: {
            opd: people.credentials("opd_team", opd)
            for item in journey.load()["complaints"]
            for opd in journey.opds_of(item)
        },
    }


def test_each_report_with_an_act_comes_to_its_end(
    people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(journey, "load", partial(with_acts, journey.load()))
    lapse = partial(let_lapse, people.installation.stack.database_url("notification"))
    complete = journey.run(people.installation.url, staff(people), shown.append, tmp_path, lapse)
    assert complete, "\n".join(shown)
    assert any("tidak menjawab pertanyaan" in line for line in shown)


def test_at_each_desk_reports_stay_and_the_oldest_is_late(
    people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(journey, "load", partial(staying, journey.load()))
    databases = {stage: people.installation.stack.database_url(stage) for stage in STAGES}
    lapse = partial(let_lapse, databases["notification"])
    complete = journey.run(
        people.installation.url, staff(people), shown.append, tmp_path, lapse, partial(age, databases.values())
    )
    assert complete, "\n".join(shown)
    for person, desk in (
        (people.operator, "intake"),
        (people.main_team, "triage"),
        (people.opd_team("disdukcapil"), "opd"),
        (people.operator, "answers"),
    ):
        waiting = person.get(f"/desks/{desk}", params={"late": "true"})["items"]
        assert [row for row in waiting if row["ticket"] in "".join(shown)], desk
