"""Who acts: a signed token that travels with every call.

One service signs (Ed25519); the gateway and every stage verify with the public key, so that a stage trusts no caller's
word about roles. Tokens live 15 minutes; a disabled account cannot renew, and is out within that time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache, wraps
from typing import Any, TypeVar

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from nkk.sop.refusals import NotAuthenticated, NotYourRole

LIFETIME = timedelta(minutes=15)

KNOWN_TOKENS = 10_000
"""So many tokens whose signature was found good are remembered, each for as long as it lives."""

_ALGORITHM = "EdDSA"
_ISSUER = "nkk"

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Actor:
    """Somebody logged in: `id` without meaning, `role`, `group` (the OPD of an OPD team), `session` to be ended;
    `expires_at` where a token said so."""

    id: str
    role: str
    group: str | None = None
    session: str | None = None
    expires_at: datetime | None = field(default=None, compare=False)


def sign(actor: Actor, private_key_pem: str, now: datetime | None = None) -> tuple[str, datetime]:
    """An access token for `actor` and when it expires."""
    now = now or datetime.now(UTC)
    expires = now + LIFETIME
    claims = {"iss": _ISSUER, "sub": actor.id, "role": actor.role, "grp": actor.group, "sid": actor.session,
              "iat": now, "exp": expires}
    return jwt.encode(claims, private_key_pem, algorithm=_ALGORITHM), expires


@cache
def _loaded(public_key_pem: str) -> Any:
    return load_pem_public_key(public_key_pem.encode())


def verify(token: str | None, public_key_pem: str) -> Actor:
    """The actor in `token`. Raises NotAuthenticated where it is missing, expired, or not signed by us."""
    if not token:
        raise NotAuthenticated("Log in first.")
    try:
        actor = _read(token, public_key_pem)
    except jwt.ExpiredSignatureError:
        raise _expired() from None
    except (jwt.InvalidTokenError, KeyError, ValueError, OverflowError):
        raise NotAuthenticated("This access token is not valid. Log in again.") from None
    if actor.expires_at <= datetime.now(UTC):  # type: ignore[operator]
        raise _expired()
    return actor


@lru_cache(KNOWN_TOKENS)
def _read(token: str, public_key_pem: str) -> Actor:
    # `iat` is not held against our clock: the machine that signed may be a second ahead.
    claims = jwt.decode(token, _loaded(public_key_pem), algorithms=[_ALGORITHM], issuer=_ISSUER,
                        options={"require": ["exp", "iat", "sub", "role"], "verify_iat": False})
    return Actor(claims["sub"], claims["role"], claims.get("grp"), claims.get("sid"),
                 datetime.fromtimestamp(claims["exp"], UTC))


def _expired() -> NotAuthenticated:
    return NotAuthenticated("Your log-in has expired. Renew it or log in again.")


class Caller:
    """The caller of one RPC, verified when first asked for."""

    def __init__(self, token: str | None, public_key_pem: str) -> None:
        self._token = token
        self._key = public_key_pem

    def require(self, *roles: str) -> Actor:
        """The actor, who must hold one of `roles`. Raises NotAuthenticated or NotYourRole."""
        actor = verify(self._token, self._key)
        if roles and actor.role not in roles:
            raise NotYourRole("Your role does not do this.", {"role": actor.role, "needed": list(roles)})
        return actor


def requires(*roles: str) -> Callable[[F], F]:
    """Method decorator: only an actor with one of `roles` may call; the actor becomes the first argument."""

    def decorate(method: F) -> F:
        @wraps(method)
        def checked(self: Any, *args: Any, **kwargs: Any) -> Any:
            return method(self, self.caller.require(*roles), *args, **kwargs)

        return checked  # type: ignore[return-value]

    return decorate
