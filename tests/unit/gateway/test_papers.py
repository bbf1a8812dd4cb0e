import pytest
from flask import g

from gateway import papers
from nkk.trust.actor import Actor


@pytest.mark.parametrize(
    ("role", "is_staff"),
    [("reporter", False), ("operator", True), ("main_team", True), ("opd_team", True), ("admin", True)],
)
def test_a_document_is_made_in_the_turn_of_its_account_and_staff_come_first(app, monkeypatch, role, is_staff):
    asked = {}
    monkeypatch.setattr(papers, "make", lambda *_, **how: asked.update(how) or b"made")
    with app.test_request_context():
        g.actor = Actor("one", role)
        papers.sent("tanda-terima", "pdf", {}, "tanda-terima")
    assert (asked["account"], asked["is_staff"]) == ("one", is_staff)
