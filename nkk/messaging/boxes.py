"""Sealed calls ("boxes"): encrypted for one stage, valid once and for a short time, answered to the caller alone.

Threat: somebody takes a call from the broker, or a copy of its disk, and replays it: to the same method or another,
with another reply address, or beside another access token. So the box contains all that identifies the call: the
method, the key to seal the answer with, the time of sealing, a nonce, and the proof of the access token that travels
beside it. Nothing outside the box can be exchanged. Only the stage that opened the box knows the answer's key, so an
answer that can be opened comes from that stage.
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
"""How long a box is valid, and how far two clocks may differ; no caller waits longer for an answer."""

log = get_logger()


class UnreadableBoxError(NotCarriedOutError):
    """The box is damaged, was sealed for another key, or holds no call of this method by this caller."""


class StaleBoxError(NotCarriedOutError):
    """The box was sealed too long ago or, by the stage's clock, in the future."""


class UsedBoxError(NotCarriedOutError):
    """The call in this box was carried out before (a replay)."""


class Question:
    """The caller's side of a sealed call of `method` with `content`.

    `key` is the stage's public key; `proof` belongs to the access token beside the box, or is None where there is none.
    """

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
        """Open the answer in `box`. Raises StageFailedError where it was not sealed for this call."""
        try:
            return unseal(box, self._private)["answer"]
        except (CannotOpenError, KeyError):
            log.error("sealed reply cannot be opened", call=self._method)
            raise StageFailedError(self._method) from None


@dataclass
class Call:
    """The opened content of a box. The stage sets `used` in the transaction that carries the call out."""

    content: dict[str, Any]
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    sealed_at: datetime = field(default_factory=utc_now)
    reply_key: str = field(default="", repr=False)
    proof: str | None = field(default=None, repr=False)
    used: bool = False

    def check_caller(self, actor: Actor) -> None:
        """Raise UnreadableBoxError where the access token beside the box does not belong to the sealer of the box."""
        if not actor.is_proved_by(self.proof):
            raise UnreadableBoxError("The box was not sealed by the holder of this access token.")

    def answered(self, content: Any) -> str:
        """Return `content` sealed for the caller alone."""
        return seal({"answer": content}, self.reply_key)


def _check_key(text: str) -> None:
    try:
        public_key(text)
    except (ValueError, TypeError):
        raise ValidationError("Not a key.") from None


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
    """Return the call of `method` in `box`. Raises UnreadableBoxError or StaleBoxError."""
    try:
        held = _INSIDE.load(unseal(box, private_key))
    except (CannotOpenError, ValidationError):
        raise UnreadableBoxError(
            "The box holds no readable call. Do the gateway and this stage have the same version, and does the "
            "gateway's NKK_INTAKE_PUBLIC_KEY match?"
        ) from None
    if held.pop("method") != method:
        raise UnreadableBoxError("The box holds a call of another method.")
    if abs(now - held["sealed_at"]) > LIFETIME:
        raise StaleBoxError(
            f"The box was sealed at {held['sealed_at'].isoformat()}, and the clock here says {now.isoformat()}: "
            f"they may differ by {LIFETIME.seconds} seconds. Are both clocks right?"
        )
    return Call(**held)
