import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.proxies import Proxies, behind, read_address
from nkk.settings import NKK_TRUSTED_PROXIES, SettingsError


def read_networks(written: str) -> Proxies:
    """Return the networks of a value of NKK_TRUSTED_PROXIES."""
    return Proxies(*NKK_TRUSTED_PROXIES.get({"NKK_TRUSTED_PROXIES": written}))


TRUSTED = read_networks("10.0.0.0/8, 127.0.0.1, fd00::/8")
FORWARDED = (
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Ssl",
    "X-Forwarded-Scheme",
    "X-Real-Ip",
    "Forwarded",
)


def seen(peer: str, said: dict[str, str], proxies: Any = TRUSTED) -> dict[str, str]:
    """Return the environment that the application gets."""
    given_: dict[str, str] = {}
    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", "HTTP_HOST": "site.example.org"}
    environ |= {"HTTP_" + name.upper().replace("-", "_"): value for name, value in said.items()}
    behind(lambda found, _: given_.update(found) or [], proxies)(environ, None)
    return given_


@pytest.mark.parametrize(
    ("peer", "chain", "client"),
    [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "8.8.8.8, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "8.8.8.8, 203.0.113.7, 10.0.0.2,10.0.0.3", "203.0.113.7"),
        ("10.0.0.1", "10.0.0.9, 10.0.0.2", "10.0.0.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7, unknown", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        ("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, ::ffff:10.0.0.2", "203.0.113.7"),
        ("::ffff:10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("fd00::1%eth0", "203.0.113.7", "203.0.113.7"),
        ("203.0.113.9", "10.0.0.1", "203.0.113.9"),
        ("2001:db8::9", "203.0.113.7", "2001:db8::9"),
        ("unix", "203.0.113.7", "unix"),
    ],
)
def test_who_asks_is_the_first_from_the_end_that_is_no_proxy_of_ours(peer: str, chain: str, client: str) -> None:
    assert seen(peer, {"X-Forwarded-For": chain})["REMOTE_ADDR"] == client


@pytest.mark.parametrize("name", FORWARDED)
@pytest.mark.parametrize("peer", ["203.0.113.9", "10.0.0.1"])
def test_the_application_sees_nothing_of_what_was_forwarded_but_what_is_believed(peer: str, name: str) -> None:
    assert not [key for key in seen(peer, {name: "x"}) if "FORWARDED" in key or "REAL" in key]


@given(
    some.lists(
        some.sampled_from(
            ["203.0.113.7", "10.0.0.2", "unknown", "", "::1", "fd00::2", "1.2.3.4:80", "x" * 50, "é", "[", "]:", "%"]
        )
    ),
    some.sampled_from(["203.0.113.9", "2001:db8::1", "unix", "127.0.0.2"]),
)
def test_whoever_is_not_trusted_is_the_address_they_come_from(chain: list[str], peer: str) -> None:
    said = {"X-Forwarded-For": ", ".join(chain), "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example.org"}
    assert seen(peer, said) == {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", "HTTP_HOST": "site.example.org"}


@given(some.lists(some.ip_addresses().map(str), min_size=1), some.ip_addresses(v=4, network="203.0.113.0/24"))
def test_what_a_client_wrote_itself_is_never_believed(forged: list[str], client: ipaddress.IPv4Address) -> None:
    chain = ", ".join([*forged, str(client), "10.0.0.2"])
    assert seen("10.0.0.1", {"X-Forwarded-For": chain})["REMOTE_ADDR"] == str(client)


@pytest.mark.parametrize(
    ("said", "scheme", "host"),
    [
        ({"X-Forwarded-Proto": "https"}, "https", "site.example.org"),
        ({"X-Forwarded-Proto": "HTTPS"}, "https", "site.example.org"),
        ({"X-Forwarded-Proto": "gopher"}, "http", "site.example.org"),
        ({"X-Forwarded-Host": "pengaduan.example.id"}, "http", "pengaduan.example.id"),
        ({"X-Forwarded-Host": "pengaduan.example.id:8443"}, "http", "pengaduan.example.id:8443"),
        ({"X-Forwarded-Host": "[2001:db8::1]:80"}, "http", "[2001:db8::1]:80"),
        ({"X-Forwarded-Host": "evil/..@x"}, "http", "site.example.org"),
        # One proxy that appends: the first entries come from the client.
        (
            {
                "X-Forwarded-For": "8.8.8.8, 203.0.113.7",
                "X-Forwarded-Proto": "http, https",
                "X-Forwarded-Host": "evil.example.org, pengaduan.example.id",
            },
            "https",
            "pengaduan.example.id",
        ),
        # Two that append, and two of which the first sets the value and the second passes it on.
        ({"X-Forwarded-For": "203.0.113.7, 10.0.0.2", "X-Forwarded-Proto": "https, http"}, "https", "site.example.org"),
        ({"X-Forwarded-For": "203.0.113.7, 10.0.0.2", "X-Forwarded-Proto": "https"}, "https", "site.example.org"),
    ],
)
def test_a_trusted_proxy_says_how_and_by_which_name_it_was_reached(
    said: dict[str, str], scheme: str, host: str
) -> None:
    found = seen("10.0.0.1", said)
    assert (found["wsgi.url_scheme"], found["HTTP_HOST"]) == (scheme, host)


def test_a_socket_in_the_file_system_is_trusted_where_the_list_says_so() -> None:
    assert seen("unix", {"X-Forwarded-For": "203.0.113.7"}, read_networks("unix"))["REMOTE_ADDR"] == "203.0.113.7"
    assert not read_networks("unix").include("127.0.0.1")


@pytest.mark.parametrize("written", ["", " ", ",", ", ,"])
def test_nobody_is_trusted_where_nothing_is_written(written: str) -> None:
    assert not any(read_networks(written).include(peer) for peer in ("127.0.0.1", "::1", "10.0.0.1", "unix", "0", ""))


@pytest.mark.parametrize("written", ["1", "0", "127.0.0.1/32, 2"])
def test_a_bare_number_is_refused_with_what_to_write(written: str) -> None:
    with pytest.raises(SettingsError, match=r"10\.0\.0\.0/8,::1/128"):
        read_networks(written)


@pytest.mark.parametrize(
    "written",
    [
        "proxy.example.org",
        "10.0.0.1/8",
        "10.0.0.0/33",
        "10.0.0.0-10.0.0.9",
        "0.0.0.0/0",
        "::/0",
        "10.0.0.0/8 ::1",
        "*",
        "127.0.0.1:80",
        "10.0.0.0/8;::1",
    ],
)
def test_what_is_no_list_of_networks_is_refused(written: str) -> None:
    with pytest.raises(SettingsError, match=r"Write (the )?networks"):
        read_networks(written)


@given(some.text())
def test_no_text_is_an_address_that_is_none(text: str) -> None:
    assert read_address(text) is None or ipaddress.ip_address(str(read_address(text)))
