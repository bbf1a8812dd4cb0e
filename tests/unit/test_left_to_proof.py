"""What `make test` leaves to `make proof` of a browser's tests."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.conftest import left_to_proof


def item(name: str, folder: str = "browser", **params: Any) -> Any:
    values = "-".join(map(str, params.values()))
    path = Path(f"tests/{folder}/test_acts.py")
    found = SimpleNamespace(path=path, nodeid=f"{path}::{name}[{values}]" if params else f"{path}::{name}")
    if params:
        found.callspec = SimpleNamespace(params=params)
    return found


def variants(name: str, **others: Any) -> list[Any]:
    return [
        item(name, **others, language=language, scripts=scripts) for language, scripts in (("id", True), ("en", False))
    ]


def test_one_variant_of_each_test_stays_and_none_is_always_the_same():
    items = [each for number in range(20) for each in variants(f"test_{number}")]
    left = list(left_to_proof(items))
    assert Counter(each.nodeid.partition("[")[0] for each in left) == Counter(
        {f"tests/browser/test_acts.py::test_{number}": 1 for number in range(20)}
    )
    assert {each.callspec.params["language"] for each in left} == {"id", "en"}
    assert list(left_to_proof(items)) == left


def test_what_differs_in_more_than_the_look_stays():
    items = [item("test_forms", form="complaint"), item("test_forms", form="answer"), item("test_alone")]
    assert list(left_to_proof(items)) == []
    roles = [each for role in ("operator", "admin") for each in variants("test_roles", role=role)]
    assert Counter(each.callspec.params["role"] for each in left_to_proof(roles)) == {"operator": 1, "admin": 1}


def test_other_tests_stay():
    assert list(left_to_proof([item("test_mail", "e2e", language=language) for language in ("id", "en")])) == []
