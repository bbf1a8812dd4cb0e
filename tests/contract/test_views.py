"""What a stage's schemas give is what its views say, key by key: mypy checks each reader against them."""

import pytest

from nkk.contracts import views
from services.intake import schemas as intake
from services.notification import schemas as notification
from services.opd_response import schemas as opd_response
from services.triage import schemas as triage

ADDED = {"left_minutes", "service_left_minutes", "late", "claim"}
"""What every desk adds to what its schema gives."""

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
