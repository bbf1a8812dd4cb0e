"""Which URLs a webhook may have, and which addresses it may reach."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nkk.settings.addresses import hosts
from webhooks.urls import RefusedAddressError, check_addresses, is_allowed, is_public, read_url

NONE = hosts("")

NOT_PUBLIC_4 = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
NOT_PUBLIC_6 = [
    "::/128",
    "::1/128",
    "::/96",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
    "2001::/32",
    "2001:db8::/32",
]


def inside(network: IPv4Network | IPv6Network) -> st.SearchStrategy:
    first, last = int(network.network_address), int(network.broadcast_address)
    return st.integers(first, last).map(type(network.network_address))


private_4 = st.sampled_from([IPv4Network(each) for each in NOT_PUBLIC_4]).flatmap(inside)
private_6 = st.sampled_from([IPv6Network(each) for each in NOT_PUBLIC_6]).flatmap(inside)


@given(private_4)
def test_no_private_address_is_public_in_any_form(address: IPv4Address):
    forms = [
        address,
        IPv6Address(f"::ffff:{address}"),
        IPv6Address(f"64:ff9b::{address}"),
        IPv6Address((0x2002 << 112) | (int(address) << 80) | 1),
    ]
    assert not any(map(is_public, forms))


@given(private_6)
def test_no_private_address_of_ipv6_is_public(address: IPv6Address):
    assert not is_public(address)


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_what_is_public_in_ipv6_is_global_unicast_or_holds_a_public_address(address: IPv6Address):
    if is_public(address):
        assert address in IPv6Network("2000::/3") or address in IPv6Network("64:ff9b::/96") or address.ipv4_mapped


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "103.10.20.30", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]
)
def test_a_public_address_is_reached(address):
    assert is_public(ip_address(address))
    check_addresses("kasus.example.id", 443, [address], NONE)


def test_one_private_address_among_public_ones_is_enough_to_refuse_a_name():
    with pytest.raises(RefusedAddressError):
        check_addresses("kasus.example.id", 443, ["1.1.1.1", "10.0.0.1"], NONE)
    check_addresses("kasus.example.id", 443, ["1.1.1.1", "10.0.0.1"], hosts("kasus.example.id"))
    with pytest.raises(RefusedAddressError):
        check_addresses("kasus.example.id", 443, ["10.0.0.1"], hosts("kasus.example.id:8443, example.id"))


@pytest.mark.parametrize(
    "written",
    [
        "https://kasus.example.id",
        "https://kasus.example.id:8443/a/b",
        "https://xn--bcher-kva.example/",
        "https://1.1.1.1/",
    ],
)
def test_a_url_of_a_webhook_is_taken(written):
    read_url(written, NONE)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("http://kasus.example.id/", "not encrypted"),
        ("ftp://kasus.example.id/", "begin with the scheme"),
        ("kasus.example.id", "not a URL"),
        ("https://", "not a URL"),
        ("https://user@kasus.example.id/", "user or a password"),
        ("https://user:password@kasus.example.id/", "user or a password"),
        ("https://kasus.example.id/?token=x", "query"),
        ("https://kasus.example.id/?", "query"),
        ("https://kasus.example.id/#here", "query or a fragment"),
        ("https://kasus.example.id:0/", "not a URL"),
        ("https://kasus.example.id:99999/", "not a URL"),
        ("https://kasus.example.id/a b", "spaces"),
        ("https://kasüs.example.id/", "ASCII"),
        ("https://kasus.example.id/\r\nX: y", "spaces"),
        ("https://127.0.0.1/", "private address"),
        ("https://[::1]/", "private address"),
        ("https://[::ffff:10.0.0.1]/", "private address"),
        ("https://169.254.169.254/latest", "private address"),
        ("https://kasus.example.id/" + "a" * 2000, "longer"),
    ],
)
def test_a_url_that_cannot_be_one_is_refused_with_the_reason_and_without_repeating_it(written, why):
    with pytest.raises(ValueError, match=why) as refused:
        read_url(written, NONE)
    assert "token" not in str(refused.value)
    assert "user:password" not in str(refused.value)


def test_an_allowed_host_may_be_private_and_without_tls():
    allowed = hosts("10.1.2.3:8080, Kasus.Example.id., [fd00::1]:8443")
    read_url("http://10.1.2.3:8080/kasus", allowed)
    read_url("http://kasus.example.id/", allowed)
    read_url("https://[fd00::1]:8443/", allowed)
    for other in ("http://10.1.2.3/", "https://10.1.2.4:8080/", "http://a.kasus.example.id/", "https://[fd00::1]/"):
        with pytest.raises(ValueError, match=r"encrypted|private"):
            read_url(other, allowed)
    assert is_allowed("KASUS.example.id.", 1, allowed)
    # A query is not for logs, wherever it goes.
    with pytest.raises(ValueError, match="query"):
        read_url("http://kasus.example.id/?x=1", allowed)


@pytest.mark.parametrize(
    "written", ["https://kasus.example.id", "a b", "kasus.example.id:0", "kasus.example.id:99999", "-", "x@y"]
)
def test_a_list_of_hosts_that_cannot_be_read_is_refused(written):
    with pytest.raises(ValueError, match="names no host"):
        hosts(written)
