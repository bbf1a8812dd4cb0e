"""The actor: a signed access token travels with every call that requires a log-in.

One service signs (Ed25519); the gateway and every stage verify with the public key, so that a stage need not trust a
caller's claim about roles. Tokens live 15 minutes. A disabled account cannot renew its token, so it loses access within
that time, and at once at the service that keeps the sessions.

Threat: somebody who reads the broker, or controls a stage, has the tokens that travel there. So a client holds
`token.secret`: the gateway accepts a token only with its secret, which travels no further. The token contains the hash
of the hash of the secret. The hash itself, the `proof`, goes to intake inside the box, and shows that the box is from
the holder of the secret.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache, wraps
from typing import Any, TypeVar

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from nkk.clock import utc_now
from nkk.sop.refusals import NotAuthenticated, NotYourRole

LIFETIME = timedelta(minutes=15)

KNOWN_TOKENS = 10_000
"""The number of verified tokens in the cache."""

LONGEST_TOKEN = 4_096
"""The longest token that is parsed, in characters; ours are a fifth of that."""

UNREADABLE: tuple[type[Exception], ...] = (
    jwt.PyJWTError,
    KeyError,
    ValueError,
    TypeError,
    OverflowError,
    OSError,
    RecursionError,
)
"""The exceptions that a forged token can raise, in the JWT library or in the conversion of its times."""

_ALGORITHM = "EdDSA"
_ISSUER = "nkk"
_KINDS: dict[str, type | tuple[type, ...]] = {
    "sub": str,
    "role": str,
    "exp": int,
    "grp": (str, type(None)),
    "sid": (str, type(None)),
    "prf": (str, type(None)),
    "bar": (str, type(None)),
}

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Actor:
    """A logged-in account: an opaque `id`, its `role`, its `group` (the OPD of an OPD team) and its `session`.

    `barred` is a keyed hash of a staff account's NIP, where that was entered: it sees no case of a report about the
    person with this NIP. `expires_at` and `proof_hash` come from the token.
    """

    id: str
    role: str
    group: str | None = None
    session: str | None = None
    expires_at: datetime | None = field(default=None, compare=False)
    proof_hash: str | None = field(default=None, compare=False, repr=False)
    barred: str | None = field(default=None, repr=False)

    def is_proved_by(self, proof: str | None) -> bool:
        """Return whether `proof` comes from the secret of this access token."""
        return hmac.compare_digest(_bytes(_hash(proof or "")), _bytes(self.proof_hash or ""))


@dataclass(frozen=True)
class Entry:
    """An accepted access token: the `token` to pass to the stages, the `proof` to seal for intake, and the actor."""

    token: str
    proof: str
    actor: Actor


def sign(
    actor: Actor, private_key_pem: str, now: datetime | None = None, proof: str | None = None
) -> tuple[str, datetime]:
    """Return a token for `actor`, valid at the stages, and when it expires.

    The gateway accepts it only with the secret that `proof` is the hash of.
    """
    now = now or utc_now()
    expires = now + LIFETIME
    claims = {
        "iss": _ISSUER,
        "sub": actor.id,
        "role": actor.role,
        "grp": actor.group,
        "sid": actor.session,
        "prf": proof and _hash(proof),
        "bar": actor.barred,
        "iat": now,
        "exp": expires,
    }
    return jwt.encode(claims, private_key_pem, algorithm=_ALGORITHM), expires


def grant(actor: Actor, private_key_pem: str, now: datetime | None = None) -> tuple[str, datetime]:
    """Return a client's new access token, `token.secret`, and when it expires."""
    secret = secrets.token_urlsafe(32)
    token, expires = sign(actor, private_key_pem, now, _hash(secret))
    return f"{token}.{secret}", expires


def admit(given: str | None, public_key_pem: str) -> Entry:
    """Verify the access token `given` of a client.

    Raises NotAuthenticated where it is missing, expired, not signed by us, or without its secret.
    """
    token, _, secret = (given or "").rpartition(".")
    actor = verify(token or given, public_key_pem)
    proof = _hash(secret)
    if not actor.is_proved_by(proof):
        raise _invalid()
    return Entry(token, proof, actor)


def _hash(text: str) -> str:
    return hashlib.sha256(_bytes(text)).hexdigest()


def _bytes(text: str) -> bytes:
    # A client's text may hold lone surrogates.
    return text.encode("utf-8", "surrogatepass")


@cache
def _loaded(public_key_pem: str) -> Any:
    return load_pem_public_key(public_key_pem.encode())


def verify(token: Any, public_key_pem: str) -> Actor:
    """Return the actor of `token`. Raises NotAuthenticated where it is missing, malformed, expired or forged."""
    if not token:
        raise NotAuthenticated
    if not isinstance(token, str) or len(token) > LONGEST_TOKEN:
        raise _invalid()
    _loaded(public_key_pem)
    try:
        actor = _read(token, public_key_pem)
    except jwt.ExpiredSignatureError:
        raise _expired() from None
    except UNREADABLE:
        raise _invalid() from None
    if actor.expires_at <= utc_now():  # type: ignore[operator]
        raise _expired()
    return actor


@lru_cache(KNOWN_TOKENS)
def _read(token: str, public_key_pem: str) -> Actor:
    # `iat` is not compared with our clock: the clock of the machine that signed may be a second ahead.
    claims = jwt.decode(
        token,
        _loaded(public_key_pem),
        algorithms=[_ALGORITHM],
        issuer=_ISSUER,
        options={"require": ["exp", "iat", "sub", "role"], "verify_iat": False},
    )
    for name, kind in _KINDS.items():
        value = claims.get(name)
        if not isinstance(value, kind):
            raise TypeError(name)
        if isinstance(value, str):
            # A lone surrogate raises ValueError here instead of in a stage's database.
            value.encode()
    return Actor(
        claims["sub"],
        claims["role"],
        claims.get("grp"),
        claims.get("sid"),
        datetime.fromtimestamp(claims["exp"], UTC),
        claims.get("prf"),
        claims.get("bar"),
    )


def _invalid() -> NotAuthenticated:
    return NotAuthenticated(code="invalid-token")


def _expired() -> NotAuthenticated:
    return NotAuthenticated(code="expired-token")


class Caller:
    """The caller of one RPC, whose token is verified on demand."""

    def __init__(self, token: Any, public_key_pem: str) -> None:
        self._token = token
        self._key = public_key_pem

    def require(self, *roles: str) -> Actor:
        """Return the actor. Raises NotAuthenticated, or NotYourRole where they hold none of `roles`."""
        actor = verify(self._token, self._key)
        if roles and actor.role not in roles:
            raise NotYourRole({"role": actor.role, "needed": list(roles)})
        return actor


def requires(*roles: str) -> Callable[[F], F]:
    """Restrict a stage's method to actors with one of `roles`, and pass the actor as its first argument."""

    def decorate(method: F) -> F:
        @wraps(method)
        def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
            actor = self.caller.require(*roles)
            return method(self.acting_for(actor), actor, *args, **kwargs)

        checked.requires = roles  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return decorate
