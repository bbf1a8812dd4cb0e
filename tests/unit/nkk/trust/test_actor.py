import json
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from nkk.sop.refusals import NotAuthenticated, NotYourRole
from nkk.trust.actor import LIFETIME, LONGEST_TOKEN, Actor, Caller, admit, grant, requires, sign, verify

ACTOR = Actor("staff-1", "opd_team", "disdukcapil", "session-1")


def key_pair():
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


PRIVATE, PUBLIC = key_pair()


def token(**changed):
    """Return a token that we signed, with changed claims; None removes one."""
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
    with pytest.raises(NotAuthenticated, match="not-authenticated"):
        verify(missing, PUBLIC)


def test_a_token_signed_with_another_key_is_refused():
    signed, _ = sign(ACTOR, key_pair()[0])
    with pytest.raises(NotAuthenticated, match="invalid-token"):
        verify(signed, PUBLIC)


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256"])
def test_a_token_that_names_another_algorithm_is_refused(algorithm):
    _header, payload, signature = token().split(".")
    for forged in (
        f"{part({'alg': algorithm, 'typ': 'JWT'})}.{payload}.",
        f"{part({'alg': algorithm, 'typ': 'JWT'})}.{payload}.{signature}",
    ):
        with pytest.raises(NotAuthenticated, match="invalid-token"):
            verify(forged, PUBLIC)


def test_a_token_signed_with_the_public_key_as_a_secret_is_refused():
    # A known attack: a public key used as the key of a symmetric algorithm.
    forged = jwt.api_jws.PyJWS(algorithms=["HS256"])
    forged._algorithms["HS256"].prepare_key = lambda key: key.encode()
    claims = {"iss": "nkk", "sub": "x", "role": "admin", "iat": 1, "exp": 9_999_999_999}
    with pytest.raises(NotAuthenticated, match="invalid-token"):
        verify(forged.encode(json.dumps(claims).encode(), PUBLIC, "HS256"), PUBLIC)


def test_claims_changed_after_signing_are_refused():
    header, _, signature = token().split(".")
    claims = {"iss": "nkk", "sub": "staff-1", "role": "admin", "iat": 1, "exp": 9_999_999_999}
    with pytest.raises(NotAuthenticated, match="invalid-token"):
        verify(f"{header}.{part(claims)}.{signature}", PUBLIC)


@pytest.mark.parametrize("claim", ["iss", "sub", "role", "iat", "exp"])
def test_a_token_that_lacks_a_claim_is_refused(claim):
    with pytest.raises(NotAuthenticated, match="invalid-token"):
        verify(token(**{claim: None}), PUBLIC)


def test_a_token_of_another_issuer_is_refused():
    with pytest.raises(NotAuthenticated, match="invalid-token"):
        verify(token(iss="elsewhere"), PUBLIC)


def signed(claims, header=None):
    """Return a token with our signature over any JSON; `claims` may be text."""
    head = part({"alg": "EdDSA", "typ": "JWT"} if header is None else header)
    payload = claims.encode() if isinstance(claims, str) else json.dumps(claims).encode()
    body = f"{head}.{urlsafe_b64encode(payload).decode().rstrip('=')}"
    key = serialization.load_pem_private_key(PRIVATE.encode(), None)
    return f"{body}.{urlsafe_b64encode(key.sign(body.encode())).decode().rstrip('=')}"


CLAIMS = {"iss": "nkk", "sub": "staff-1", "role": "operator", "iat": 1, "exp": 9_999_999_999}
NO_TOKENS = [
    "x",
    "a.b",
    "a.b.c",
    "..",
    ".",
    "é.é.é",
    "\ud800",
    "W10.W10.W10",
    "[" * 5000,
    "x" * 1_000_000,
    "." * 1_000_000,
    "\x00.\x00.\x00",
    f"{part({'alg': 'EdDSA'})}.{'x' * 1_000_000}.x",
    *(
        f"{urlsafe_b64encode(text.encode()).decode().rstrip('=')}.e30.e30"
        for text in (
            "[" * 2_900,
            '{"a":' * 500,
            "1" * 2_900,
            "NaN",
            "null",
            '{"alg": ["EdDSA"]}',
            '{"alg": {}}',
            '{"alg": 1e999}',
            '{"alg": "EdDSA", "crit": 7}',
            '{"alg": "EdDSA", "b64": false}',
            '{"alg": "EdDSA", "kid": 7}',
        )
    ),
]


@pytest.mark.parametrize("claim", ["sub", "role", "grp", "sid"])
def test_a_token_that_names_half_an_emoji_is_refused_though_we_signed_it(claim):
    with pytest.raises(NotAuthenticated, match="invalid-token"):
        verify(signed(CLAIMS | {claim: "\ud83d"}), PUBLIC)


@pytest.mark.parametrize("text", NO_TOKENS, ids=lambda text: ascii(text[:20]))
def test_what_is_no_token_is_refused(text):
    for look in (verify, admit):
        with pytest.raises(NotAuthenticated, match="invalid-token"):
            look(text, PUBLIC)


@pytest.mark.parametrize("given", [7, 1.5, True, b"a.b.c", ["a"], {"a": 1}, datetime(2026, 3, 2, tzinfo=UTC)], ids=str)
def test_what_is_not_even_text_in_the_header_of_a_call_is_no_token(given):
    with pytest.raises(NotAuthenticated, match="invalid-token"):
        Caller(given, PUBLIC).require()


NUMBERS = [
    "1e17",
    "1e400",
    "-1e400",
    "NaN",
    "Infinity",
    "1.5",
    "100000000000000000",
    "9" * 30,
    "9" * 4_000,
    "-100000000000000000",
    "253402300800",
    '"9999999999"',
    "null",
    "true",
    "[]",
    "{}",
    "[" * 900 + "]" * 900,
]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:12])
@pytest.mark.parametrize("claim", ["exp", "nbf"])
def test_a_token_that_ends_or_begins_at_no_time_is_refused_though_we_signed_it(claim, number):
    parts = [
        f"{json.dumps(name)}: {number if name == claim else json.dumps(value)}"
        for name, value in ({"nbf": 0} | CLAIMS).items()
    ]
    token = signed("{" + ", ".join(parts) + "}")
    try:
        verify(token, PUBLIC)
    except NotAuthenticated:
        return
    # The session began long ago and is written unusually, but it is valid.
    assert claim == "nbf"
    assert number in ("1.5", "true", "-100000000000000000")


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
CHANGES = st.dictionaries(st.sampled_from([*CLAIMS, "nbf", "aud", "jti", "grp", "sid", "prf"]), ODD, max_size=4)


@given(CHANGES, st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jwk", "zip"]), ODD, max_size=2))
def test_whatever_json_we_had_signed_names_somebody_or_nobody(claims, header):
    token = signed(CLAIMS | claims, {"alg": "EdDSA", "typ": "JWT"} | header)
    for look in (verify, lambda token, key: admit(f"{token}.secret", key).actor):
        try:
            actor = look(token, PUBLIC)
        except NotAuthenticated:
            continue
        assert isinstance(actor.id, str)
        assert isinstance(actor.role, str)
        assert all(isinstance(part, str | None) for part in (actor.group, actor.session))
        assert actor.expires_at > datetime.now(UTC)


def test_a_key_of_ours_that_is_none_is_our_fault_and_no_callers():
    with pytest.raises(ValueError, match="PEM"):
        verify(token(), "no key")


# -- the door


def test_who_was_granted_a_token_comes_in_with_its_secret():
    given, expires = grant(ACTOR, PRIVATE)
    entry = admit(given, PUBLIC)
    assert entry.actor == ACTOR
    assert given.startswith(f"{entry.token}.")
    assert verify(entry.token, PUBLIC).expires_at == expires.replace(microsecond=0)


def test_neither_what_travels_inward_nor_what_it_says_of_the_secret_opens_the_door():
    given, _ = grant(ACTOR, PRIVATE)
    entry = admit(given, PUBLIC)
    secret = given.removeprefix(f"{entry.token}.")
    for shown in (
        entry.token,
        f"{entry.token}.",
        f"{entry.token}.{entry.proof}",
        f"{entry.token}.{entry.actor.proof_hash}",
        f"{entry.token}.{secret[:-1]}",
        f"{entry.token}.{secret}x",
        f"{entry.token}.{secret.swapcase()}",
        f"{entry.token}..{secret}",
        f"{entry.token}.\ud800",
        grant(ACTOR, PRIVATE)[0].rpartition(".")[0] + f".{secret}",
        sign(ACTOR, PRIVATE)[0] + ".",
    ):
        with pytest.raises(NotAuthenticated, match="invalid-token"):
            admit(shown, PUBLIC)
    assert secret not in f"{entry} {entry.token} {entry.proof}"


def test_the_proof_comes_from_the_secret_and_the_secret_not_from_the_proof():
    entry = admit(grant(ACTOR, PRIVATE)[0], PUBLIC)
    assert entry.actor.is_proved_by(entry.proof)
    for proof in (None, "", entry.actor.proof_hash, entry.proof.upper(), admit(grant(ACTOR, PRIVATE)[0], PUBLIC).proof):
        assert not entry.actor.is_proved_by(proof)
    assert not ACTOR.is_proved_by(None)
    assert not ACTOR.is_proved_by("")


@pytest.mark.parametrize("missing", [None, ""])
def test_without_a_token_nobody_comes_in(missing):
    with pytest.raises(NotAuthenticated, match="not-authenticated"):
        admit(missing, PUBLIC)


def test_an_expired_token_opens_no_door_with_its_secret_either():
    given, _ = grant(ACTOR, PRIVATE, datetime.now(UTC) - LIFETIME - timedelta(seconds=1))
    with pytest.raises(NotAuthenticated, match="expired"):
        admit(given, PUBLIC)


def test_the_longest_token_that_we_sign_is_looked_at():
    longest, _ = grant(Actor("i" * 36, "main_team", "o" * 64, "s" * 36), PRIVATE)
    assert len(longest) < LONGEST_TOKEN / 4


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
        def acting_for(self, actor):
            return self

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
