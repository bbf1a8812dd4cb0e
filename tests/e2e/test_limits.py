"""Rate limits, at an installation with low ones."""

import math
import re
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

import httpx
import pytest

from nkk.settings.keys import as_pem
from nkk.trust.actor import Actor, grant
from ops.stack.broker import PrivateNode
from tests.builders import complaint_form
from tests.installations import PATIENCE, Installation, installation, new_vhost
from tests.people import PASSWORD, REGISTRATION
from tests.problems import problem

T = TypeVar("T")

LIMITS = {
    "NKK_LIMIT_REGISTRATION": "3/hour",
    "NKK_LIMIT_LOGIN": "3/minute",
    "NKK_LIMIT_RESET": "3/hour",
    "NKK_LIMIT_SUBMISSION": "2/day",
    "NKK_GATEWAY_WORKERS": "2",
}


@pytest.fixture(scope="module")
def strict(rabbit: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("strict"), new_vhost(rabbit), settings=LIMITS) as running:
        yield running


MINUTE, HOUR, DAY = 60, 3_600, 86_400

ADDRESSES = (f"127.1.{number // 250}.{number % 250 + 1}" for number in count())


@dataclass
class Stranger:
    """A client at an address from which no request came before."""

    url: str
    address: str = field(default_factory=lambda: next(ADDRESSES))

    def client(self) -> httpx.Client:
        """Open a new connection from that address."""
        return httpx.Client(
            base_url=self.url, timeout=PATIENCE, transport=httpx.HTTPTransport(local_address=self.address)
        )

    def post(self, path: str, form: Any, **kwargs: Any) -> httpx.Response:
        """Send one request to the API on a new connection."""
        with self.client() as client:
            return client.post(f"/api/v1{path}", json=form, **kwargs)

    def register(self) -> httpx.Response:
        return self.post("/reporters", REGISTRATION | {"username": f"warga-{uuid.uuid4().hex[:8]}"})


@dataclass
class Window:
    """The window of a rate limit in which requests were sent."""

    seconds: int
    began: float
    ended: float

    def ends_after(self, response: httpx.Response) -> bool:
        """Return whether a rate-limited `response` asks to wait until the window ends."""
        assert "Try again in " in problem(response, 429, "too-many-requests")["detail"]
        end = (self.began // self.seconds + 1) * self.seconds
        return math.ceil(end - self.ended) <= int(response.headers["Retry-After"]) <= math.ceil(end - self.began) + 1


def in_one_window(strict: Installation, seconds: int, act: Callable[[Stranger], T]) -> tuple[T, Window]:
    """Return the result of `act` and the window it ran in; where it crossed two, repeat it from a new address."""
    for _ in range(5):
        began = time.time()
        found = act(Stranger(strict.url))
        window = Window(seconds, began, time.time())
        if window.began // seconds == window.ended // seconds:
            return found, window
    raise AssertionError(f"five times not within one window of {seconds} s")


def statuses(answers: list[httpx.Response]) -> list[int]:
    return [answer.status_code for answer in answers]


def test_registrations_from_one_address_are_bounded_by_the_hour(strict: Installation) -> None:
    answers, hour = in_one_window(
        strict, HOUR, lambda stranger: [*[stranger.register() for _ in range(4)], stranger.post("/reporters", {})]
    )
    assert statuses(answers) == [201] * 3 + [429] * 2
    assert not [answer for answer in answers[:3] if "Retry-After" in answer.headers]
    assert all(hour.ends_after(answer) for answer in answers[3:])


def test_log_ins_from_one_address_are_bounded_whether_they_succeed_or_not(strict: Installation) -> None:
    nobody = {"username": "tidak-ada-orangnya", "password": PASSWORD}
    # Renewals have a limit of their own, so that they keep people logged in.
    answers, minute = in_one_window(
        strict,
        MINUTE,
        lambda stranger: [
            *[stranger.post("/sessions", form) for form in (nobody, {}, nobody, nobody)],
            stranger.post("/sessions/current/renewal", {"refresh_token": "x"}),
        ],
    )
    assert statuses(answers) == [401, 422, 401, 429, 401]
    assert minute.ends_after(answers[3])


def test_whoever_registers_accounts_has_no_more_tries_for_each(strict: Installation) -> None:
    def act(stranger: Stranger) -> list[httpx.Response]:
        names = [f"warga-{uuid.uuid4().hex[:8]}" for _ in range(2)]
        for name in names:
            stranger.post("/reporters", REGISTRATION | {"username": name})
        forms = [{"username": name, "password": PASSWORD} for name in names]
        devices = [stranger.post("/sessions", form).headers["X-NKK-Device"] for form in forms]
        return [
            stranger.post("/sessions", form, headers={"X-NKK-Device": device})
            for form, device in zip(forms * 2, devices * 2, strict=True)
        ]

    answers, minute = in_one_window(strict, MINUTE, act)
    assert statuses(answers) == [201, 201, 201, 429]
    assert minute.ends_after(answers[3])


def test_new_passwords_are_asked_for_a_few_times_an_hour_from_one_address(strict: Installation) -> None:
    answers, hour = in_one_window(
        strict,
        HOUR,
        lambda stranger: [
            stranger.post("/password-resets", {"username": f"tidak-ada-{number}"}) for number in range(4)
        ],
    )
    assert statuses(answers) == [202] * 3 + [429]
    assert hour.ends_after(answers[3])


def test_reports_are_bounded_by_account_and_not_by_address(strict: Installation) -> None:
    def send(stranger: Stranger, reporter_id: str) -> httpx.Response:
        token, _ = grant(Actor(reporter_id, "reporter"), as_pem(strict.stack.keys["NKK_TOKEN_SIGNING_KEY"]))
        return stranger.post("/complaints", complaint_form(), headers={"Authorization": f"Bearer {token}"})

    def act(stranger: Stranger) -> list[httpx.Response]:
        one, other = (stranger.register().json()["reporter_id"] for _ in range(2))
        return [send(stranger, reporter) for reporter in (one, one, one, other)]

    answers, day = in_one_window(strict, DAY, act)
    assert statuses(answers) == [201, 201, 429, 201]
    assert day.ends_after(answers[2])


def test_reading_is_not_bounded(strict: Installation) -> None:
    with Stranger(strict.url).client() as client:
        assert {client.get("/api/v1/categories").status_code for _ in range(30)} == {200}


CODE = {"token": "f" * 40, "password": "sandi yang baru 42"}


def by_api(stranger: Stranger) -> int:
    """Send a wrong code through the API; return the status."""
    return stranger.post("/password-resets/completion", CODE).status_code


def by_page(stranger: Stranger) -> int:
    """Send a wrong code through the page; return the status."""
    with stranger.client() as browser:
        token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/atur-ulang-sandi").text)
        assert token
        return browser.post("/atur-ulang-sandi", data=CODE | {"csrf_token": token[1]}).status_code


def test_all_processes_and_both_doors_count_together(strict: Installation) -> None:
    def at_once(stranger: Stranger) -> list[int]:
        with ThreadPoolExecutor(8) as pool:
            return sorted(pool.map(lambda door: door(stranger), [by_api, by_page] * 8))

    assert in_one_window(strict, MINUTE, at_once)[0] == [422] * 3 + [429] * 13


def test_a_store_that_is_deleted_meanwhile_costs_nobody_a_request(strict: Installation) -> None:
    def act(stranger: Stranger) -> list[httpx.Response]:
        shutil.rmtree(strict.stack.var / "limits")
        return [stranger.post("/password-resets", {"username": f"tidak-ada-{number}"}) for number in range(4)]

    assert statuses(in_one_window(strict, HOUR, act)[0]) == [202, 202, 202, 429]
    assert (strict.stack.var / "limits" / "counts.db").exists()
    assert "request failed" not in strict.log("gateway")
