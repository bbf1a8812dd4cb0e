"""The comparison with django-helpdesk: its form, its lock file and its two configurations."""

import re

from bench.helpdesk.load import COOKIE, TOKEN
from bench.helpdesk.running import DOCUMENTED, REQUIREMENTS, TUNED


def test_a_form_is_filled_in_with_its_cookie_and_its_token():
    head = b"HTTP/1.1 200 OK\r\nSet-Cookie: csrftoken=abc123; expires=Wed; Path=/\r\nContent-Length: 1\r\n\r\n"
    body = b'<form><input type="hidden" name="csrfmiddlewaretoken" value="xyz789"></form>'

    assert COOKIE.search(head)[1] == b"csrftoken=abc123"
    assert TOKEN.search(body)[1] == b"xyz789"


def test_it_is_installed_by_hashes_and_from_no_address():
    lock = REQUIREMENTS.read_text()
    pinned = re.findall(r"^\S+==\S+.*\n(?:    --hash=.*\n)+", lock, re.MULTILINE)

    assert "django-helpdesk==2.6.1 " in lock
    assert "".join(pinned) == lock
    assert "://" not in lock


def test_both_ways_have_as_many_workers_and_only_one_of_them_keeps_connections():
    assert (DOCUMENTED.tuned, TUNED.tuned) == (False, True)
    assert not any("workers" in argument for way in (DOCUMENTED, TUNED) for argument in way.arguments)
