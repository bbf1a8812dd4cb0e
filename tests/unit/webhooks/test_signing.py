"""Signatures, as the library of Standard Webhooks verifies them."""

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from webhooks.signing import headers, new_secret
from webhooks.storage import Sealed

BODY = '{"id":"1","data":{"text":"Pelayanan lambat, “sekali”"}}'.encode()


def test_a_message_is_verified_by_the_library_of_the_standard():
    secret = new_secret()
    signed = headers("event-1", BODY, datetime.now(UTC), [secret])
    assert signed["webhook-id"] == "event-1"
    assert Webhook(secret).verify(BODY, signed)["id"] == "1"


@pytest.mark.parametrize("changed", ["webhook-id", "webhook-timestamp"])
def test_a_signature_covers_the_id_and_the_time(changed):
    secret, now = new_secret(), datetime.now(UTC)
    signed = headers("event-1", BODY, now, [secret])
    other = headers("event-2", BODY, now + timedelta(seconds=1), [secret])
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, signed | {changed: other[changed]})
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY + b" ", signed)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, signed)


def test_while_a_secret_is_rotated_either_verifies_and_a_day_later_only_the_new_one():
    now = datetime.now(UTC)
    before = Sealed("https://kasus.example.id/", "password", new_secret())
    after = before.rotated(now - timedelta(hours=23))
    signed = headers("event-1", BODY, now, after.secrets(now))
    for secret in (before.secret, after.secret):
        Webhook(secret).verify(BODY, signed)
    assert after.secrets(now + timedelta(hours=1)) == [after.secret]


def test_a_secret_is_long_and_new_each_time():
    assert len({new_secret() for _ in range(100)}) == 100
    assert new_secret().startswith("whsec_")
