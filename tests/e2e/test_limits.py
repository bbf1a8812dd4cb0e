"""How often one may try, at an installation that is strict about it."""

import re
import shutil
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from nkk.messaging.actor import Actor, grant
from nkk.messaging.settings import as_pem
from nkk.stack.broker import PrivateNode
from tests.builders import complaint_form
from tests.installations import Installation, installation, new_vhost
from tests.people import PASSWORD, REGISTRATION
from tests.problems import problem

LIMITS = {"NKK_LIMIT_REGISTRATION": "3/hour", "NKK_LIMIT_LOGIN": "3/minute", "NKK_LIMIT_RESET": "3/hour",
          "NKK_LIMIT_SUBMISSION": "2/day", "NKK_GATEWAY_WORKERS": "2"}


@pytest.fixture(scope="module")
def strict(rabbit: PrivateNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("strict"), new_vhost(rabbit), settings=LIMITS) as running:
        yield running


@pytest.fixture(scope="module")
def http(strict: Installation) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{strict.url}/api/v1", timeout=20) as client:
        yield client


@pytest.fixture(scope="module")
def registered(http: httpx.Client) -> list[str]:
    """As many reporters as may register: their ids."""
    answers = [http.post("/reporters", json=REGISTRATION | {"username": f"warga-{uuid.uuid4().hex[:8]}"})
               for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    assert not [answer for answer in answers if "Retry-After" in answer.headers]
    return [answer.json()["reporter_id"] for answer in answers]


def seconds_to_wait(response: httpx.Response) -> int:
    """How long a refusal for its frequency asks to wait."""
    assert "try again" in problem(response, 429, "too-many-requests")["detail"]
    return int(response.headers["Retry-After"])


def test_registrations_from_one_address_are_bounded_by_the_hour(http: httpx.Client, registered: list[str]) -> None:
    form = REGISTRATION | {"username": f"warga-{uuid.uuid4().hex[:8]}"}
    assert 60 < seconds_to_wait(http.post("/reporters", json=form)) <= 3_601
    assert 60 < seconds_to_wait(http.post("/reporters", json={})) <= 3_601


def test_log_ins_from_one_address_are_bounded_whether_they_succeed_or_not(http: httpx.Client) -> None:
    nobody = {"username": "tidak-ada-orangnya", "password": PASSWORD}
    assert [http.post("/sessions", json=form).status_code for form in (nobody, {}, nobody)] == [401, 422, 401]
    assert 0 < seconds_to_wait(http.post("/sessions", json=nobody)) <= 61
    # Renewing keeps people in who are in already: it is counted by itself.
    assert http.post("/sessions/current/renewal", json={"refresh_token": "x"}).status_code == 401


def test_new_passwords_are_asked_for_a_few_times_an_hour_from_one_address(http: httpx.Client) -> None:
    asked = [http.post("/password-resets", json={"username": f"tidak-ada-{number}"}) for number in range(3)]
    assert [answer.status_code for answer in asked] == [202] * 3
    assert 60 < seconds_to_wait(http.post("/password-resets", json={"username": "tidak-ada-lagi"})) <= 3_601


def test_reports_are_bounded_by_account_and_not_by_address(strict: Installation, http: httpx.Client,
                                                           registered: list[str]) -> None:
    def send(reporter_id: str) -> httpx.Response:
        token, _ = grant(Actor(reporter_id, "reporter"), as_pem(strict.stack.keys["NKK_TOKEN_SIGNING_KEY"]))
        return http.post("/complaints", json=complaint_form(), headers={"Authorization": f"Bearer {token}"})

    assert [send(registered[0]).status_code for _ in range(2)] == [201, 201]
    assert 3_600 < seconds_to_wait(send(registered[0])) <= 86_401
    assert send(registered[1]).status_code == 201


def test_reading_is_not_bounded(http: httpx.Client) -> None:
    assert {http.get("/categories").status_code for _ in range(30)} == {200}


CODE = {"token": "f" * 40, "password": "sandi yang baru 42"}


def by_api(url: str) -> int:
    """A code that sets no password, tried by a program on a connection of its own."""
    return httpx.post(f"{url}/api/v1/password-resets/completion", json=CODE, timeout=20).status_code


def by_page(url: str) -> int:
    """The same on the page."""
    with httpx.Client(base_url=url, timeout=20) as browser:
        token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/atur-ulang-sandi").text)
        assert token
        return browser.post("/atur-ulang-sandi", data=CODE | {"csrf_token": token[1]}).status_code


def test_all_processes_and_both_doors_count_together(strict: Installation) -> None:
    doors = [by_api, by_page] * 8
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda door: door(strict.url), doors))
    assert sorted(answers) == [422] * 3 + [429] * 13


def test_a_store_that_is_deleted_meanwhile_costs_nobody_a_request(strict: Installation, http: httpx.Client) -> None:
    shutil.rmtree(strict.stack.var / "limits")
    asked = [http.post("/password-resets", json={"username": f"tidak-ada-{number}"}) for number in range(4)]
    assert [answer.status_code for answer in asked] == [202, 202, 202, 429]
    assert (strict.stack.var / "limits" / "counts.db").exists()
    assert "request failed" not in strict.log("gateway")
