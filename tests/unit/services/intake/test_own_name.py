"""Everybody who is logged in is told the user name they log in with."""

from pathlib import Path

import pytest

from nkk.messaging.actor import Actor
from tests.boxes import asked
from tests.intake import ADMIN, IDENTITY, OPERATOR, PUBLIC, REPORTER, intake_at


@pytest.mark.parametrize("actor", [REPORTER, OPERATOR, ADMIN], ids=lambda actor: actor.role)
def test_everybody_is_told_their_own_user_name(tmp_path: Path, actor: Actor) -> None:
    with intake_at(f"sqlite:///{tmp_path}/intake.db") as intake:
        told = asked(intake, PUBLIC, "own_name", {}, actor)
    assert told == {"username": IDENTITY["username"] if actor is REPORTER else actor.id}
