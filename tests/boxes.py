"""Calls in sealed boxes, as a gateway with an actor's access token makes them to intake."""

import hashlib
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from nkk.messaging.boxes import Question
from nkk.trust.actor import Actor

PROOF = "what comes from the secret of an access token"


def proved(actor: Actor) -> Actor:
    """Return `actor` as in an access token whose proof is PROOF."""
    return replace(actor, proof_hash=hashlib.sha256(PROOF.encode()).hexdigest())


def called_by(service: Any, actor: Actor | None) -> Any:
    """Return `service` as in a call with the access token of `actor`."""
    service.caller = SimpleNamespace(require=lambda *_: actor)
    return service


def asked(service: Any, key: str, method: str, content: dict[str, Any], actor: Actor | None = None) -> Any:
    """Return intake's answer to `content`, sealed for the public `key` by `actor` at the stage's time."""
    question = Question(method, content, key, PROOF if actor else None, now=service.uow.clock())
    called_by(service, actor and proved(actor))
    return question.answer(getattr(service, method)(question.box))
