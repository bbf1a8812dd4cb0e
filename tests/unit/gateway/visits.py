"""A stand-in for the stages, and a visitor's first requests, for the tests of the pages."""

import re
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient

from ops.stack.keys import new_keys

KEYS = new_keys()
LISTS = {
    "categories": {"kode-etik": {"name": "Kode etik", "sub_categories": {"bernegara": "Etika bernegara"}}},
    "opds": {"inspektorat": "Inspektorat"},
}
FIGURES = {
    "as_of": "2026-03-02T01:00:00.000000Z",
    "promised_minutes": 900,
    "last_12_months": {
        "since": "2025-04-01T00:00:00Z",
        "accepted": None,
        "answered": None,
        "closed": None,
        "in_time_share": None,
        "median_minutes": None,
    },
}
REFRESH_TOKEN = "refresh-me" + "_" * 33
FORM = {"username": "warga", "password": "rahasia-sekali-42"}


@dataclass
class FakeBackend:
    """Returns the answers that a test has set, and raises those that are exceptions."""

    answers: dict[str, Any] = field(
        default_factory=lambda: {"staff_names": {}, "recused_from": [], "is_unreachable": False}
    )
    asked: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)

    def call(self, stage: str, method: str, *args: Any) -> Any:
        return self._answer(method, args)

    def ask_intake(self, method: str, content: dict[str, Any]) -> Any:
        return self._answer(method, (content,))

    tell_intake = ask_intake

    def identity(self, ticket: str, on: str) -> Any:
        return self._answer("identity", ({"ticket": ticket, "on": on},))

    def lists(self) -> dict[str, Any]:
        return LISTS

    lists_if_any = lists

    def replace_teams(self, teams: dict[str, Any]) -> Any:
        return self._answer("replace_teams", (teams,))

    def forget_lists(self) -> None:
        """Do nothing: there is no cache."""

    def figures(self) -> dict[str, Any]:
        answer = self.answers.get("figures", FIGURES)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _answer(self, method: str, args: tuple[Any, ...]) -> Any:
        self.asked.append((method, args))
        answer = (
            [] if method in ("questions", "is_unreachable") and method not in self.answers else self.answers[method]
        )
        if isinstance(answer, Exception):
            raise answer
        return answer


def token(client: FlaskClient, path: str = "/masuk", **how: Any) -> str:
    """Return the hidden CSRF token of a page's form."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path, **how).text)
    assert found
    return found[1]


def log_in(client: FlaskClient, stages: FakeBackend, opened: dict[str, Any], **how: Any) -> Any:
    """Log in, with `opened` as intake's answer."""
    stages.answers["log_in"] = opened
    return client.post("/masuk", data=FORM | {"csrf_token": token(client, **how)}, **how)


def set_cookies(response: Any) -> dict[str, str]:
    """Return the cookies that a response sets, by name."""
    return {line.split("=", 1)[0]: line for line in response.headers.getlist("Set-Cookie")}
