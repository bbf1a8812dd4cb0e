"""What intake returns to users about themselves, and to an operator about reports at their other desk."""

from pathlib import Path

import pytest

from nkk.trust.actor import Actor
from tests.boxes import asked, called_by, proved
from tests.intake import ADMIN, IDENTITY, OPERATOR, PUBLIC, REPORTER, intake_at


@pytest.mark.parametrize("actor", [REPORTER, OPERATOR, ADMIN], ids=lambda actor: actor.role)
def test_everybody_is_told_their_own_user_name(tmp_path: Path, actor: Actor) -> None:
    with intake_at(f"sqlite:///{tmp_path}/intake.db") as intake:
        told = asked(intake, PUBLIC, "own_name", {}, actor)
    assert told == {"username": IDENTITY["username"] if actor is REPORTER else actor.id}


def test_an_operator_is_told_what_the_reports_of_another_desk_are_about(tmp_path: Path) -> None:
    with intake_at(f"sqlite:///{tmp_path}/intake.db") as intake:
        told = called_by(intake, proved(OPERATOR)).subjects(["open", "confidential", "unknown"])
    assert {ticket: about["confidential"] for ticket, about in told.items()} == {"open": False, "confidential": True}
    assert set(told["open"]) == {"subject_line", "category", "sub_category", "confidential", "channel"}
