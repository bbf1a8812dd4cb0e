"""Calls in a box: read by their addressee alone, good once and for a short while, answered to nobody but who asked.

Threat: a call is taken off the broker, or off a copy of its disk, and published again: to the same method or another,
with another reply address, beside another's access token. So everything that makes the call what it is lies in the box:
the method, the key its answer is sealed with, when it was sealed, a nonce, and the proof of whose access token travels
beside it. Nothing lies beside it that could be exchanged. Nobody but who opened the box knows the key of the answer:
an answer that can be opened is from there.
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from nkk.clock import utc_now
from nkk.log import get_logger
from nkk.messaging.calls import NotCarriedOutError, StageFailedError
from nkk.sop.clock import write_instant
from nkk.trust.actor import Actor
from nkk.trust.sealing import CannotOpenError, new_key_pair, public_key, seal, unseal

LIFETIME = timedelta(seconds=30)
"""A box is good for so long, and by clocks that are so far apart: nobody waits for its answer any longer."""

log = get_logger()


class UnreadableBoxError(NotCarriedOutError):
    """The box is damaged, was sealed for somebody else, or holds no call to this method in the caller's name."""


class StaleBoxError(NotCarriedOutError):
    """The box was sealed too long ago, or, by the addressee's clock, is yet to be."""


class UsedBoxError(NotCarriedOutError):
    """The call of this box was made before."""


class Question:
    """A call of `method` with `content` for the holder of the private half of `key`; `proof` is that of the access
    token, where one travels beside it."""

    def __init__(
        self, method: str, content: dict[str, Any], key: str, proof: str | None = None, now: datetime | None = None
    ) -> None:
        self._method = method
        self._private, reply_key = new_key_pair()
        self.box = seal(
            {
                "method": method,
                "content": content,
                "reply_key": reply_key,
                "proof": proof,
                "nonce": secrets.token_urlsafe(24),
                "sealed_at": write_instant(now or utc_now()),
            },
            key,
        )

    def answer(self, box: Any) -> Any:
        """What was answered. Raises StageFailedError where it is from somebody else."""
        try:
            return unseal(box, self._private)["answer"]
        except (CannotOpenError, KeyError):
            log.error("answer cannot be opened", call=self._method)
            raise StageFailedError(self._method) from None


@dataclass
class Call:
    """What a box held. Whoever carries it out makes it `used`, in the transaction that does."""

    content: dict[str, Any]
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    sealed_at: datetime = field(default_factory=utc_now)
    reply_key: str = field(default="", repr=False)
    proof: str | None = field(default=None, repr=False)
    used: bool = False

    def check_caller(self, actor: Actor) -> None:
        """Raise UnreadableBoxError where the access token beside the box is not that of whoever sealed it."""
        if not actor.is_proved_by(self.proof):
            raise UnreadableBoxError("The box was not sealed by whoever this access token was given to.")

    def answered(self, content: Any) -> str:
        """`content`, for nobody but who asked."""
        return seal({"answer": content}, self.reply_key)


def _check_key(text: str) -> None:
    try:
        public_key(text)
    except (ValueError, TypeError):
        raise ValidationError("No key.") from None


class _Inside(Schema):
    class Meta:
        unknown = EXCLUDE

    method = fields.String(required=True)
    content = fields.Dict(keys=fields.String(), required=True)
    reply_key = fields.String(required=True, validate=_check_key)
    proof = fields.String(required=True, allow_none=True)
    nonce = fields.String(required=True, validate=validate.Regexp(r"^[A-Za-z0-9_-]{20,64}\Z"))
    sealed_at = fields.AwareDateTime(required=True, format="iso")


_INSIDE = _Inside()


def open_box(box: Any, private_key: str, method: str, now: datetime) -> Call:
    """The call of `method` in `box`. Raises UnreadableBoxError or StaleBoxError."""
    try:
        held = _INSIDE.load(unseal(box, private_key))
    except (CannotOpenError, ValidationError):
        raise UnreadableBoxError(
            "There is no call in this box that can be read here: is the gateway of this version, "
            "and does its NKK_INTAKE_PUBLIC_KEY fit?"
        ) from None
    if held.pop("method") != method:
        raise UnreadableBoxError("The box holds a call of another method.")
    if abs(now - held["sealed_at"]) > LIFETIME:
        raise StaleBoxError(
            f"The box was sealed at {held['sealed_at'].isoformat()}, and here it is {now.isoformat()}: "
            f"they may be {LIFETIME.seconds} seconds apart. Are both clocks right?"
        )
    return Call(**held)
