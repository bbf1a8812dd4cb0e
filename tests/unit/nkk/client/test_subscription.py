"""What is refused before a connection is opened."""

from datetime import UTC, datetime, timedelta

import pytest

from nkk.client import ReplayRefusedError, SubscriptionError, subscribe, tool_of
from nkk.client.replay import Seen
from nkk.settings import SettingsError

TOOL = "amqp://tool.my-tool:secret@localhost/nkk"
USER = "amqp://nkk:secret@localhost//"


@pytest.mark.parametrize(
    ("uri", "tool"),
    [
        (TOOL, "my-tool"),
        ("amqps://tool%2Emy-tool:secret@localhost:5671/nkk", "my-tool"),
        (USER, None),
        ("amqp://localhost", None),
        ("amqp://tool.:secret@localhost", None),
        ("amqp://tool.My_Tool:secret@localhost", None),
        ("amqp://tooling:secret@localhost", None),
    ],
)
def test_the_user_in_the_uri_says_which_tool_it_is(uri, tool):
    assert tool_of(uri) == tool


@pytest.mark.parametrize(
    ("name", "uri", "since", "said"),
    [
        ("other", TOOL, None, "this credential is the tool my-tool's, which cannot listen as other"),
        (None, USER, None, "is not a tool.s. Set NKK_TOOL_URI"),
        ("my-tool", USER, "first", "`nkk tools add` prints one"),
        (None, TOOL, datetime(2026, 1, 1), "since is an aware datetime, or 'first'"),
        (None, TOOL, "last", "since is an aware datetime, or 'first'"),
        (None, TOOL, datetime.fromisoformat("0001-01-01T00:00+14:00"), "since is not between the years 2000 and 2199"),
        (None, TOOL, datetime.now(UTC) + timedelta(days=1), "since is in the future"),
    ],
)
def test_a_subscription_that_cannot_be_is_refused_in_a_sentence(name, uri, since, said):
    with pytest.raises(ValueError, match=said):
        next(subscribe("triage", name, uri, since=since))


def test_the_credential_is_looked_for_in_the_environment(monkeypatch):
    monkeypatch.delenv("NKK_TOOL_URI", raising=False)
    with pytest.raises(SettingsError, match=r"NKK_TOOL_URI is not set\. `nkk tools add` prints it"):
        next(subscribe("triage"))
    monkeypatch.setenv("NKK_TOOL_URI", TOOL)
    with pytest.raises(SubscriptionError, match="my-tool"):
        next(subscribe("triage", "other"))


def test_an_authority_that_is_no_file_of_certificates_is_named(monkeypatch, tmp_path):
    (tmp_path / "empty.pem").write_text("no certificate")
    for path in (tmp_path / "missing.pem", tmp_path / "empty.pem", tmp_path):
        with pytest.raises(SubscriptionError, match=f"{path} is no file of certificates in PEM"):
            next(subscribe("triage", uri=TOOL, ca=str(path)))
    monkeypatch.setenv("NKK_TOOL_CA", "/missing.pem")
    with pytest.raises(SubscriptionError, match=r"/missing\.pem"):
        next(subscribe("triage", uri=TOOL))


def test_its_errors_are_value_errors():
    assert issubclass(ReplayRefusedError, SubscriptionError)
    assert issubclass(SubscriptionError, ValueError)


def test_an_id_that_was_seen_is_forgotten_when_it_is_met():
    seen = Seen()
    assert not seen.take("one")
    seen.add("one")
    assert "one" in seen
    assert [seen.take("one"), seen.take("one")] == [True, False]
