"""The device header and cookie, and what they are trusted for."""

from collections.abc import Iterator
from time import process_time

import pytest
from flask import Flask, g
from hypothesis import given
from hypothesis import strategies as st

from gateway.devices import MOST_ACCOUNTS, Device, by_device, read
from gateway.limits import by_account_of_staff, source
from nkk.trust.actor import Actor


@pytest.fixture(autouse=True)
def _inside(app: Flask) -> Iterator[None]:
    with app.test_request_context(environ_base={"REMOTE_ADDR": "203.0.113.7"}):
        yield


def test_a_new_device_is_known_to_nobody() -> None:
    assert read(None).known_as("warga") == []
    assert read(None).token != read(None).token


def test_a_device_is_known_for_the_account_that_logged_in_with_it_alone() -> None:
    device = read(str(read(None).after("Warga ", "reporter")))
    assert device.known_as("warga") == ["reporter"]
    assert device.known_as("warga2") == []
    assert device.after("warga", "operator").known_as("warga") == ["staff", "reporter"]


def test_a_mark_is_good_for_its_own_device_alone() -> None:
    known = read(None).after("warga", "reporter")
    assert Device(read(None).token, known.marks).known_as("warga") == []


def test_a_user_name_that_is_far_too_long_is_not_normalised() -> None:
    device, began = read(None).after("warga", "reporter"), process_time()
    assert device.known_as("\ufdfa" * 87_000) == []
    assert process_time() - began < 0.15


def test_a_mark_of_another_installation_is_none(app: Flask) -> None:
    known = read(None).after("warga", "reporter")
    app.config["SITE_KEY"] = "another"
    assert known.known_as("warga") == []


def test_the_accounts_that_logged_in_last_are_known() -> None:
    device = read(None)
    for number in range(MOST_ACCOUNTS + 2):
        device = read(str(device.after(f"warga-{number}", "reporter")))
    assert [number for number in range(MOST_ACCOUNTS + 2) if device.known_as(f"warga-{number}")] == [2, 3, 4, 5]
    assert str(device.after("warga-5", "reporter")) == str(device)


def test_who_has_a_reporters_account_of_the_same_name_uses_up_none_of_the_staffs_tries() -> None:
    def counted(role: str) -> str:
        device = str(read(None).after("operator", role))
        return by_device(lambda: (device, "operator"))()

    assert len({counted(role) for role in ("reporter", "operator", "admin")}) == 2
    assert counted("operator") == counted("admin")


def test_accounts_that_one_registers_are_no_more_tries_to_log_in_from_an_address() -> None:
    """Otherwise one address with many accounts could have many passwords hashed, and nobody else could log in."""

    def counted(username: str, role: str) -> str:
        device = str(read(None).after(username, role))
        return by_device(lambda: (device, username), each={"staff"})()

    reporters = {counted(f"warga-{number}", "reporter") for number in range(3)}
    assert len(reporters) == 1
    assert source() not in reporters
    assert len({counted(name, "operator") for name in ("operator", "operator-2")} - reporters) == 2


def test_passwords_that_reporters_change_are_counted_by_address_and_those_of_staff_by_account() -> None:
    def counted(account: str, role: str) -> str:
        g.actor = Actor(account, role)
        return by_account_of_staff()

    assert {counted("1", "reporter"), counted("2", "reporter")} == {source()}
    assert len({counted("1", "operator"), counted("2", "admin"), source()}) == 3


@given(st.text(max_size=200))
def test_what_is_none_of_ours_is_a_new_device(written: str) -> None:
    assert read(written).known_as("warga") == []


def test_intake_is_told_neither_the_address_nor_the_marks() -> None:
    device = read(None).after("warga", "reporter")
    told = device.credentials({"username": "warga", "password": "p", "kind": "public"})
    assert set(told) == {"username", "password", "visitor"}
    assert (told["visitor"]["device"], told["visitor"]["known_as"]) == (device.token, ["reporter"])
    assert "203.0.113.7" not in str(told)
    assert device.marks[0] not in str(told)
