"""Who acts: a signed token that travels with every call that somebody must be logged in for.

One service signs (Ed25519); the gateway and every stage verify with the public key, so that a stage trusts no caller's
word about roles. Tokens live 15 minutes; a disabled account cannot renew, and is out within that time; at the service
that knows sessions at once.

Threat: whoever reads the broker, or is a stage, has the tokens that travel there. So a client holds `token.secret`: at
the door the token is good with its secret alone, which goes no further. The token names the secret's hash, hashed once
more; the hash between, the `proof`, goes to intake in a box, and shows it that the box is from whoever came in.
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
"""So many tokens whose signature was found good are remembered, each for as long as it lives."""

LONGEST_TOKEN = 4_096
"""Characters; ours are a fifth of that, and what is longer is not looked at."""

UNREADABLE: tuple[type[Exception], ...] = (
    jwt.PyJWTError,
    KeyError,
    ValueError,
    TypeError,
    OverflowError,
    OSError,
    RecursionError,
)
"""What a token of somebody else's making is met with: by the library that reads its JSON, and by the clock."""

_ALGORITHM = "EdDSA"
_ISSUER = "nkk"
_KINDS: dict[str, type | tuple[type, ...]] = {
    "sub": str,
    "role": str,
    "exp": int,
    "grp": (str, type(None)),
    "sid": (str, type(None)),
    "prf": (str, type(None)),
}

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Actor:
    """Somebody logged in: `id` without meaning, `role`, `group` (the OPD of an OPD team), `session` to be ended;
    `expires_at` and the hash of the `proof` where a token said so."""

    id: str
    role: str
    group: str | None = None
    session: str | None = None
    expires_at: datetime | None = field(default=None, compare=False)
    proof_hash: str | None = field(default=None, compare=False, repr=False)

    def is_proved_by(self, proof: str | None) -> bool:
        """Whether `proof` comes from the secret of this access token."""
        return hmac.compare_digest(_bytes(_hash(proof or "")), _bytes(self.proof_hash or ""))


@dataclass(frozen=True)
class Entry:
    """Somebody came in: the token that travels inward, and the proof that goes to intake in a box."""

    token: str
    proof: str
    actor: Actor


def sign(
    actor: Actor, private_key_pem: str, now: datetime | None = None, proof: str | None = None
) -> tuple[str, datetime]:
    """A token for `actor`, good at the stages, and when it expires; at the door it is good with the secret of `proof`
    alone."""
    now = now or utc_now()
    expires = now + LIFETIME
    claims = {
        "iss": _ISSUER,
        "sub": actor.id,
        "role": actor.role,
        "grp": actor.group,
        "sid": actor.session,
        "prf": proof and _hash(proof),
        "iat": now,
        "exp": expires,
    }
    return jwt.encode(claims, private_key_pem, algorithm=_ALGORITHM), expires


def grant(actor: Actor, private_key_pem: str, now: datetime | None = None) -> tuple[str, datetime]:
    """The access token that a client is given, `token.secret`, and when it expires."""
    secret = secrets.token_urlsafe(32)
    token, expires = sign(actor, private_key_pem, now, _hash(secret))
    return f"{token}.{secret}", expires


def admit(given: str | None, public_key_pem: str) -> Entry:
    """Who comes in with the access token `given`. Raises NotAuthenticated where it is missing, expired, not signed by
    us, or shown without its secret."""
    token, _, secret = (given or "").rpartition(".")
    actor = verify(token or given, public_key_pem)
    proof = _hash(secret)
    if not actor.is_proved_by(proof):
        raise _invalid()
    return Entry(token, proof, actor)


def _hash(text: str) -> str:
    return hashlib.sha256(_bytes(text)).hexdigest()


def _bytes(text: str) -> bytes:
    # Of a client's making, half an emoji among it.
    return text.encode("utf-8", "surrogatepass")


@cache
def _loaded(public_key_pem: str) -> Any:
    return load_pem_public_key(public_key_pem.encode())


def verify(token: Any, public_key_pem: str) -> Actor:
    """The actor in `token`. Raises NotAuthenticated where it is missing, expired, not signed by us, or no token."""
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
    # `iat` is not held against our clock: the machine that signed may be a second ahead.
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
            # Half an emoji is no text: a ValueError here, and not in a stage's database.
            value.encode()
    return Actor(
        claims["sub"],
        claims["role"],
        claims.get("grp"),
        claims.get("sid"),
        datetime.fromtimestamp(claims["exp"], UTC),
        claims.get("prf"),
    )


def _invalid() -> NotAuthenticated:
    return NotAuthenticated(code="invalid-token")


def _expired() -> NotAuthenticated:
    return NotAuthenticated(code="expired-token")


class Caller:
    """The caller of one RPC, verified when first asked for."""

    def __init__(self, token: Any, public_key_pem: str) -> None:
        self._token = token
        self._key = public_key_pem

    def require(self, *roles: str) -> Actor:
        """The actor, who must hold one of `roles`. Raises NotAuthenticated or NotYourRole."""
        actor = verify(self._token, self._key)
        if roles and actor.role not in roles:
            raise NotYourRole({"role": actor.role, "needed": list(roles)})
        return actor


def requires(*roles: str) -> Callable[[F], F]:
    """Method decorator of a stage's: only an actor with one of `roles` may call; the actor becomes the first
    argument."""

    def decorate(method: F) -> F:
        @wraps(method)
        def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
            actor = self.caller.require(*roles)
            return method(self.acting_for(actor), actor, *args, **kwargs)

        checked.requires = roles  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return decorate
