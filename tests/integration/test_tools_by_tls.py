"""The broker's listener with TLS, by which tools on other machines connect: whom they trust, and who gets in."""

import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from amqp.exceptions import AccessRefused
from kombu import Connection

from nkk.messaging.publisher import BROKER_ERRORS, connect
from nkk.settings import SettingsError
from ops.broker_api import BrokerApi
from ops.stack.broker import PrivateNode
from ops.stack.ports import listening_socket
from ops.stack.tls import Listener, listener
from tests.certificates import Authority, own_certificate

HOST, OTHER = "127.0.0.1", "127.0.0.2"


@pytest.fixture(scope="module")
def authority(own_authority: Authority) -> Authority:
    return own_authority


@pytest.fixture(scope="module")
def node(own_node: PrivateNode) -> Iterator[PrivateNode]:
    """A broker with a listener whose certificate the authority has signed, and a user without rights."""
    api = BrokerApi(own_node.api, own_node.uri)
    api.put("users", "tool.far", password="secret", tags="")
    api.put("permissions", "/", "tool.far", configure="^$", write="^$", read="^$")
    yield own_node
    api.delete("users", "tool.far")


def line(node: PrivateNode, host: str = HOST, account: str = "tool.far:secret") -> str:
    tls = node._tls
    assert tls is not None
    return f"amqps://{account}@{host}:{tls.port}/%2F"


def test_a_tool_that_knows_the_authority_connects_and_the_chain_is_sent_along(
    node: PrivateNode, authority: Authority
) -> None:
    with connect(line(node), ca=str(authority.file)) as connection:
        assert connection.connected


def test_a_certificate_for_another_host_is_refused_by_the_tool(node: PrivateNode, authority: Authority) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        connect(line(node, OTHER), ca=str(authority.file))


def test_a_certificate_of_an_authority_that_the_tool_does_not_know_is_refused_by_it(
    node: PrivateNode, tmp_path: Path
) -> None:
    for ca in (None, str(Authority.new(tmp_path).file)):
        with pytest.raises(ssl.SSLCertVerificationError, match=r"certificate verify failed: (unable|certificate sig)"):
            connect(line(node), ca=ca)


def test_an_expired_certificate_is_refused_by_the_tool(node: PrivateNode, authority: Authority) -> None:
    assert node._tls is not None
    folder = Path(node._tls.certificate).parent
    authority.sign(folder, HOST, lasts=timedelta(days=-1))
    node.ctl("eval", "ssl:clear_pem_cache().")
    try:
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            connect(line(node), ca=str(authority.file))
    finally:
        authority.sign(folder, HOST)
        node.ctl("eval", "ssl:clear_pem_cache().")
    connect(line(node), ca=str(authority.file)).release()


def test_without_tls_nobody_gets_in_there(node: PrivateNode) -> None:
    with pytest.raises(BROKER_ERRORS), Connection(line(node).replace("amqps", "amqp")) as connection:
        connection.connect()


def test_the_nodes_own_user_gets_in_from_this_machine_alone(node: PrivateNode, authority: Authority) -> None:
    account = node.uri.partition("://")[2].partition("@")[0]
    connect(line(node, account=account), ca=str(authority.file)).release()
    away = node.ctl("eval", "application:get_env(rabbit, loopback_users).")
    assert away.strip() == '{ok,[<<"nkk">>]}'
    with pytest.raises(AccessRefused):
        connect(line(node, account="tool.far:wrong"), ca=str(authority.file))


def test_a_listener_is_off_until_it_is_asked_for_and_has_the_name_of_its_certificate(
    tmp_path: Path, authority: Authority
) -> None:
    assert listener({}) is None
    certificate, key = map(str, authority.sign(tmp_path, "amqp.example.id"))
    asked = {"NKK_TOOLS_CERTIFICATE": certificate, "NKK_TOOLS_KEY": key}
    assert listener(asked) == Listener(certificate, key, "127.0.0.1", 5671, "amqp.example.id")
    other = {"NKK_TOOLS_ADDRESS": "0.0.0.0", "NKK_TOOLS_PORT": "15671", "NKK_TOOLS_HOST": "other.example.id"}
    assert listener(asked | other) == Listener(certificate, key, "0.0.0.0", 15671, "other.example.id")


def test_a_port_that_another_program_has_or_an_address_of_another_machine_is_refused_in_a_sentence() -> None:
    with listening_socket() as taken:
        port = taken.getsockname()[1]
        for address, why in (("127.0.0.1", "Address already in use"), ("192.0.2.1", "Cannot assign")):
            with pytest.raises(SettingsError, match=f"NKK_TOOLS_PORT={port} cannot be used at .*: {why}"):
                Listener("", "", address, port, HOST).check_free()
    Listener("", "", "127.0.0.1", port, HOST).check_free()


def test_a_certificate_or_key_that_cannot_be_used_is_refused_in_a_sentence(tmp_path: Path) -> None:
    for folder in ("other", "old"):
        (tmp_path / folder).mkdir()
    certificate, key = own_certificate(tmp_path)
    _, other = own_certificate(tmp_path / "other")
    expired, of_expired = own_certificate(tmp_path / "old", lasts=timedelta(days=-1))
    for given, why in (
        ((certificate, ""), "NKK_TOOLS_KEY is not set, and NKK_TOOLS_CERTIFICATE is"),
        (("", key), "NKK_TOOLS_CERTIFICATE is not set, and NKK_TOOLS_KEY is"),
        ((tmp_path / "none", key), "is no file that can be read here"),
        ((key, key), "is no certificate in PEM"),
        ((certificate, certificate), "is no private key in PEM without a passphrase"),
        ((certificate, other), "is not the key of NKK_TOOLS_CERTIFICATE"),
        ((expired, of_expired), "expired on"),
    ):
        with pytest.raises(SettingsError, match=why):
            listener(dict(zip(("NKK_TOOLS_CERTIFICATE", "NKK_TOOLS_KEY"), map(str, given), strict=True)))
    with pytest.raises(SettingsError, match="NKK_TOOLS_ADDRESS=all is no IP address"):
        listener({"NKK_TOOLS_ADDRESS": "all"})
