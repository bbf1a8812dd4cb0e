"""The schemas of the stages return the keys of their views, against which mypy checks each reader."""

import pytest

from nkk.contracts import views
from services.intake import schemas as intake
from services.notification import schemas as notification
from services.opd_response import schemas as opd_response
from services.triage import schemas as triage

ADDED = {"left_minutes", "service_left_minutes", "late", "claim"}
"""The keys that every desk adds to those of its schema."""

GIVEN = [
    (views.Row, intake.Listed, ADDED),
    (views.Row, triage.Listed, ADDED),
    (views.Row, opd_response.Listed, ADDED),
    (views.Row, notification.Listed, ADDED),
    (views.Case, triage.CaseView, ADDED),
    (views.Case, opd_response.CaseView, ADDED),
    (views.AnswerCase, notification.AnswerView, ADDED),
    (views.Answer, notification.ReadAnswer, set()),
    (views.Undelivered, notification.Undelivered, set()),
]


@pytest.mark.parametrize(("view", "schema", "added"), GIVEN, ids=lambda part: getattr(part, "__name__", None))
def test_a_schema_gives_every_key_of_its_view(view, schema, added):
    assert view.__required_keys__ - schema().fields.keys() - added == set()
