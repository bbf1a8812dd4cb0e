"""Calls in boxes, as intake is asked by a gateway that has the access token of an actor."""

import hashlib
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from nkk.messaging.boxes import Question
from nkk.trust.actor import Actor

PROOF = "what comes from the secret of an access token"


def proved(actor: Actor) -> Actor:
    """`actor` as an access token names them whose proof is PROOF."""
    return replace(actor, proof_hash=hashlib.sha256(PROOF.encode()).hexdigest())


def called_by(service: Any, actor: Actor | None) -> Any:
    """`service` in a call beside which the access token of `actor` travels."""
    service.caller = SimpleNamespace(require=lambda *_: actor)
    return service


def asked(service: Any, key: str, method: str, content: dict[str, Any], actor: Actor | None = None) -> Any:
    """What intake's `method` answers to a box with `content` for the public `key`, sealed by `actor` at
    the time that the stage's clock shows."""
    question = Question(method, content, key, PROOF if actor else None, now=service.uow.clock())
    called_by(service, actor and proved(actor))
    return question.answer(getattr(service, method)(question.box))
