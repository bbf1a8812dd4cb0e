"""The answers that the repository's proxy gives itself, without the gateway."""

import httpx
import pytest

from ops.stack.ports import free_port
from tests import nginx
from tests.installations import PATIENCE
from tests.problems import problem


@pytest.fixture(scope="module")
def visitor(tmp_path_factory):
    """Yield a client of a proxy whose gateway is down."""
    with (
        nginx.nginx(tmp_path_factory.mktemp("nginx"), free_port()) as proxy,
        httpx.Client(base_url=proxy.url, verify=proxy.trust, timeout=PATIENCE) as http,
    ):
        yield http


def test_a_program_is_told_as_by_the_gateway_that_it_is_away(visitor):
    answer = visitor.post("/api/v1/complaints", json={})
    problem(answer, 503, "unavailable")
    assert answer.headers["Retry-After"].isdigit()
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_person_is_told_on_a_page_of_theirs_that_it_is_away(visitor):
    page = visitor.get("/laporan")
    assert page.status_code == 503
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Retry-After"].isdigit()
    assert page.headers["Cache-Control"] == "no-store"
    assert '<html lang="id">' in page.text
    assert "tidak akan hilang" in page.text
    assert '<p lang="en">' in page.text


def test_what_is_longer_than_the_gateway_is_to_read_is_refused_as_by_it(visitor):
    long = b" " * 600_000
    problem(visitor.post("/api/v1/complaints", content=long), 413, "too-large")
    page = visitor.post("/lapor", content=long)
    assert page.status_code == 413
    assert "20.000 karakter" in page.text
    assert "Retry-After" not in page.headers
