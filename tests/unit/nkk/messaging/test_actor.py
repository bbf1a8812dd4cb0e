import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from nkk.messaging.actor import LIFETIME, Actor, Caller, requires, sign, verify
from nkk.sop.refusals import NotAuthenticated, NotYourRole

ACTOR = Actor("staff-1", "opd_team", "disdukcapil", "session-1")


def key_pair():
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.PEM,
                                           serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


PRIVATE, PUBLIC = key_pair()


def token(**changed):
    """A token signed by us with claims changed; None takes one away."""
    now = datetime.now(UTC)
    claims = {"iss": "nkk", "sub": "staff-1", "role": "operator", "iat": now, "exp": now + LIFETIME} | changed
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, PRIVATE, "EdDSA")


def part(content):
    return urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def test_who_was_signed_is_who_acts():
    signed, _ = sign(ACTOR, PRIVATE)
    assert verify(signed, PUBLIC) == ACTOR


def test_somebody_without_group_or_session_has_none():
    signed, _ = sign(Actor("reporter-1", "reporter"), PRIVATE)
    assert verify(signed, PUBLIC) == Actor("reporter-1", "reporter", None, None)


def test_a_token_lives_fifteen_minutes():
    now = datetime.now(UTC)
    assert sign(ACTOR, PRIVATE, now)[1] == now + timedelta(minutes=15)


def test_an_expired_token_is_refused():
    signed, _ = sign(ACTOR, PRIVATE, datetime.now(UTC) - LIFETIME - timedelta(seconds=1))
    with pytest.raises(NotAuthenticated, match="expired"):
        verify(signed, PUBLIC)


def test_a_token_about_to_expire_still_counts():
    signed, _ = sign(ACTOR, PRIVATE, datetime.now(UTC) - LIFETIME + timedelta(seconds=60))
    assert verify(signed, PUBLIC) == ACTOR


@pytest.mark.parametrize("missing", [None, ""])
def test_without_a_token_nobody_is_logged_in(missing):
    with pytest.raises(NotAuthenticated, match=r"^Log in first"):
        verify(missing, PUBLIC)


def test_a_token_signed_with_another_key_is_refused():
    signed, _ = sign(ACTOR, key_pair()[0])
    with pytest.raises(NotAuthenticated, match="not valid"):
        verify(signed, PUBLIC)


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256"])
def test_a_token_that_names_another_algorithm_is_refused(algorithm):
    _header, payload, signature = token().split(".")
    for forged in (f"{part({'alg': algorithm, 'typ': 'JWT'})}.{payload}.",
                   f"{part({'alg': algorithm, 'typ': 'JWT'})}.{payload}.{signature}"):
        with pytest.raises(NotAuthenticated, match="not valid"):
            verify(forged, PUBLIC)


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused():
    # The old trick: what everybody knows, used as the key of a symmetric algorithm.
    forged = jwt.api_jws.PyJWS(algorithms=["HS256"])
    forged._algorithms["HS256"].prepare_key = lambda key: key.encode()
    claims = {"iss": "nkk", "sub": "x", "role": "admin", "iat": 1, "exp": 9_999_999_999}
    with pytest.raises(NotAuthenticated, match="not valid"):
        verify(forged.encode(json.dumps(claims).encode(), PUBLIC, "HS256"), PUBLIC)


def test_claims_changed_after_signing_are_refused():
    header, _, signature = token().split(".")
    claims = {"iss": "nkk", "sub": "staff-1", "role": "admin", "iat": 1, "exp": 9_999_999_999}
    with pytest.raises(NotAuthenticated, match="not valid"):
        verify(f"{header}.{part(claims)}.{signature}", PUBLIC)


@pytest.mark.parametrize("claim", ["iss", "sub", "role", "iat", "exp"])
def test_a_token_that_lacks_a_claim_is_refused(claim):
    with pytest.raises(NotAuthenticated, match="not valid"):
        verify(token(**{claim: None}), PUBLIC)


def test_a_token_of_another_issuer_is_refused():
    with pytest.raises(NotAuthenticated, match="not valid"):
        verify(token(iss="elsewhere"), PUBLIC)


@pytest.mark.parametrize("text", ["x", "a.b", "a.b.c", "..", "é.é.é", "\ud800", "W10.W10.W10", "[" * 5000])
def test_what_is_no_token_is_refused(text):
    with pytest.raises(NotAuthenticated, match="not valid"):
        verify(text, PUBLIC)


def test_a_role_that_is_not_needed_is_refused_and_told_which_is():
    signed, _ = sign(ACTOR, PRIVATE)
    with pytest.raises(NotYourRole) as refused:
        Caller(signed, PUBLIC).require("operator", "main_team")
    assert refused.value.details == {"role": "opd_team", "needed": ["operator", "main_team"]}


def test_any_role_will_do_where_none_is_named():
    signed, _ = sign(ACTOR, PRIVATE)
    assert Caller(signed, PUBLIC).require() == ACTOR


def test_a_method_that_requires_a_role_is_given_the_actor_first():
    class Desk:
        @requires("opd_team")
        def act(self, actor, ticket, note=None):
            return actor.id, ticket, note

    desk = Desk()
    desk.caller = Caller(sign(ACTOR, PRIVATE)[0], PUBLIC)
    assert desk.act("t", note="n") == ("staff-1", "t", "n")


def test_a_method_that_requires_a_role_does_nothing_for_anybody_else():
    acted = []
    desk = SimpleNamespace(caller=Caller(None, PUBLIC))
    with pytest.raises(NotAuthenticated):
        requires("opd_team")(lambda self, actor: acted.append(actor))(desk)
    assert acted == []
