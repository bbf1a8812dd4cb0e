"""What a tool is, and what it may receive."""

import re
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError

from nkk.contracts import EVENTS, STAGES, EventData
from nkk.contracts.events import ComplaintSubmittedV1
from nkk.contracts.fields import Slug
from nkk.exchanges import (
    REPLAY_MARKER,
    TOOL_NAME,
    exchange_name,
    opd_key,
    replay_key,
    replay_name,
    tool_queue,
    tool_replay_queue,
    tool_user,
)

Binding = tuple[str, str]
"""The exchange and the routing key of a binding."""


class ToolError(ValueError):
    """A tool cannot be added or found as requested; the message says why."""


@dataclass(frozen=True)
class Tool:
    """A team's own program that receives events of `stage`: if given, only those about `opd`, and only `types`."""

    name: str
    stage: str
    opd: str | None = None
    types: tuple[str, ...] = ()

    @property
    def user(self) -> str:
        return tool_user(self.name)

    @property
    def queue(self) -> str:
        return tool_queue(self.name, self.stage)

    @property
    def replay_queue(self) -> str:
        return tool_replay_queue(self.name, self.stage)

    def bindings(self) -> set[Binding]:
        """Return what the queue of live events is bound to."""
        return {(exchange_name(self.stage), key) for key in self._keys()}

    def replay_bindings(self) -> set[Binding]:
        """Return what the queue of past events is bound to."""
        keys = {replay_key(self.name, key) for key in self._keys()}
        return {(replay_name(self.stage), key) for key in {*keys, replay_key(self.name, REPLAY_MARKER)}}

    def _keys(self) -> set[str]:
        types = {event.TYPE for event in events_for(self.stage, self.opd)}
        chosen = types & set(self.types) if self.types else types
        return {opd_key(self.opd, type_) if self.opd else type_ for type_ in chosen}

    def check(self) -> None:
        """Raise ToolError where there can be no such tool."""
        if not re.fullmatch(TOOL_NAME, self.name):
            raise ToolError("A tool's name is 1 to 40 small letters, digits and hyphens, the first of them no hyphen.")
        if self.stage not in STAGES:
            raise ToolError(f"There is no stage {self.stage}: one of {', '.join(STAGES)}.")
        if self.opd is not None:
            self._check_opd(self.opd)
        types = {event.TYPE for event in events_for(self.stage, self.opd)}
        if unknown := [type_ for type_ in self.types if type_ not in types]:
            of_opd = ", with the name of an OPD," if self.opd else ""
            raise ToolError(
                f"{self.stage} publishes nothing{of_opd} for tools as {', '.join(unknown)}: choose from "
                f"{', '.join(sorted(types))}."
            )

    def _check_opd(self, opd: str) -> None:
        if self.stage not in STAGES_OF_OPDS:
            raise ToolError(
                f"Events of {self.stage} name no OPD: --opd is for {' and '.join(STAGES_OF_OPDS)}. Leave it out, or "
                "take another stage."
            )
        try:
            Slug().deserialize(opd)
        except ValidationError:
            raise ToolError(
                "An OPD is named as in the roster, such as dinas-kesehatan: small letters, digits and hyphens."
            ) from None

    def kept(self) -> dict[str, Any]:
        """Return it as it is kept at the broker."""
        return {"stage": self.stage, "opd": self.opd, "types": list(self.types)}


def public_events(stage: str) -> list[type[EventData]]:
    """Return the events of `stage` that are not private."""
    return [event for event in EVENTS if stage in event.SERVICES and not event.PRIVATE]


def events_for(stage: str, opd: str | None) -> list[type[EventData]]:
    """Return the events of `stage` that a tool may receive: no private ones, and for an OPD those that name one."""
    # The oldest complaints' first event, which a replay could contain, reveals which reports have the same author.
    events = [event for event in public_events(stage) if event is not ComplaintSubmittedV1]
    return [event for event in events if not opd or "opd" in event.SCHEMA.fields]


STAGES_OF_OPDS = tuple(
    stage
    for stage in STAGES
    if any("opd" in event.SCHEMA.fields and event.SCHEMA.fields["opd"].required for event in events_for(stage, None))
)
"""The stages whose events name the OPD that they concern."""
