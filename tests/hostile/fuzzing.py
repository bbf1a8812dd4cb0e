"""Schemathesis runs over the whole API description in one role, and the undescribed responses that they find.

Cases are generated from the schemas, at and beyond their limits and at random, and by following links between
responses. Names in forms (categories, agencies, tickets, user names) are taken from the installation half of the time,
so that requests get further than the first look-up.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import schemathesis
from schemathesis.config import FuzzConfig
from schemathesis.engine import events, from_schema

from nkk.settings.keys import as_pem
from nkk.sop.text import clean
from nkk.trust.actor import Actor, grant
from tests.current.documents import openapi
from tests.installations import Installation

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "negative_data_rejection",
    "positive_data_acceptance",
    "unsupported_method",
    "allow_header_conformance",
    "missing_required_header",
    "every_refusal_is_a_problem",
)

EXAMPLES = 3
"""The number of cases of each kind for each operation, besides those at the schemas' limits."""

UPLOADS = "/api/v1/uploads"

# Stages may refuse input that is valid by the schemas: unknown keys, roles, the order of steps.
JUDGED = ["2xx", 401, 403, 404, 409, 422]
REFUSED = [400, 401, 403, 404, 405, 409, 413, 414, 415, 422, 431]


@schemathesis.serializer("application/offset+octet-stream")
def bytes_of_an_upload(_context: Any, value: Any) -> bytes:
    """Return an upload's bytes as they are sent."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@schemathesis.check
def every_refusal_is_a_problem(_context: Any, response: Any, _case: Any) -> None:
    """Check that a refusal is an RFC 9457 problem of its status, with Retry-After where waiting helps."""
    if response.status_code < 400 or response.request.method == "HEAD":
        return
    assert response.headers["content-type"] == ["application/problem+json"], response.headers
    body = response.json()
    assert body["status"] == response.status_code
    assert body["type"].startswith("urn:nkk:problem:")
    assert body["detail"].endswith(".")
    if response.status_code in (429, 503):
        assert int(response.headers["retry-after"][0]) > 0


@dataclass
class Findings:
    """What a run requested, and each fault it found once, with code that repeats it."""

    asked: Counter[int] = field(default_factory=Counter)
    operations: set[str] = field(default_factory=set)
    faults: dict[str, str] = field(default_factory=dict)

    def take(self, event: Any) -> None:
        """Record an event of the engine."""
        if isinstance(event, events.NonFatalError):
            self.faults[f"{event.label}: {event.info.title}"] = event.info.format()
        if isinstance(event, events.FatalError):
            raise event.exception
        if not isinstance(event, events.ScenarioFinished):
            return
        for case_id, interaction in event.recorder.interactions.items():
            self.asked[interaction.response.status_code if interaction.response else 0] += 1
            self.operations.add(event.recorder.cases[case_id].value.operation.label)
        for case_id, checks in event.recorder.checks.items():
            for check in checks:
                if check.failure_info is not None:
                    self._fault(event.recorder.cases[case_id].value, check.name, check.failure_info)

    def _fault(self, case: Any, name: str, info: Any) -> None:
        if name == "negative_data_rejection" and "maxLength" in info.failure.message and _is_shortened(case.body):
            return
        kind = f"{case.operation.label}: {name}: {info.failure.title}"
        self.faults.setdefault(kind, f"{kind}\n{info.failure.message}\n{info.code_sample}")

    def report(self) -> str:
        """Return the number of responses of each status, and all faults, for people to read."""
        counted = ", ".join(f"{status} x {count}" for status, count in sorted(self.asked.items()))
        return "\n\n".join(
            [f"{self.asked.total()} requests to {len(self.operations)} operations: {counted}", *self.faults.values()]
        )


def _is_shortened(body: Any) -> bool:
    """Return whether a text of `body` is shorter as it is kept: what is counted is without invisible characters."""
    texts = [value for value in body.values() if isinstance(value, str)] if isinstance(body, dict) else []
    return any(len(clean(text)) < len(text) for text in texts)


def token(installation: Installation, actor: Actor, hours: int = 24) -> str:
    """Return an access token of `actor` that outlives the run."""
    key = as_pem(installation.stack.keys["NKK_TOKEN_SIGNING_KEY"])
    return grant(actor, key, datetime.now(UTC) + timedelta(hours=hours))[0]


def configured(
    names: Mapping[str, list[str]], seed: int, long: bool, bearer: str | None, leaving: str | None, barred: list[str]
) -> dict[str, Any]:
    """Return the engine's configuration; operations in `barred` are requested once or twice only."""
    limited = [
        f"{method.upper()} {path}"
        for path, item in openapi()["paths"].items()
        for method, operation in item.items()
        if method != "parameters" and "429" in operation["responses"] and not path.startswith(UPLOADS)
    ]
    bindings = {
        parameter: {"dictionary": name, "probability": 0.5}
        for parameter, name in {
            "path.ticket": "tickets",
            "path.kind": "documents",
            "path.username": "usernames",
            "path.id": "uploads",
            "path.day": "days",
            "query.category": "categories",
            "query.q": "tickets",
            "body.category": "categories",
            "body.sub_category": "sub_categories",
            "body.accused_opd": "opds",
            "body.opd": "opds",
        }.items()
        if name in names
    }
    return {
        "seed": seed,
        # The cache of an earlier run would change this one.
        "cache": {"enabled": False},
        "headers": _authorization(bearer),
        "request-timeout": 20,
        "continue-on-failure": True,
        "dictionaries": {name: {"values": values} for name, values in names.items()},
        "generation": {
            "max-examples": 100 if long else EXAMPLES,
            "deterministic": not long,
            "no-shrink": not long,
            "database": "none",
        },
        "checks": {
            "enabled": False,
            **{name: {"enabled": True} for name in CHECKS},
            "positive_data_acceptance": {"enabled": True, "expected-statuses": JUDGED},
            "negative_data_rejection": {"enabled": True, "expected-statuses": REFUSED},
        },
        "phases": {"stateful": {"max-steps": 8}},
        "parameters": bindings,
        "operations": [
            # The log-out uses another session's token; otherwise all later requests would get a 401.
            {"include-name": "DELETE /api/v1/sessions/current", "headers": _authorization(leaving)},
            # Streams are disabled at this installation, which answers 503 at once.
            {
                "include-path-regex": "/changes$",
                "checks": {
                    "not_a_server_error": {"enabled": True, "expected-statuses": ["2xx", "4xx", 503]},
                    "positive_data_acceptance": {"enabled": True, "expected-statuses": [*JUDGED, 503]},
                },
            },
            # Rate limits and slow-downs may refuse these operations.
            {
                "include-name": limited,
                "checks": {"positive_data_acceptance": {"enabled": True, "expected-statuses": [*JUDGED, 429]}},
            },
            # tus has rules of its own: headers that go together, and 412 for those of another version.
            {
                "include-path-regex": f"^{UPLOADS}",
                "checks": {
                    "positive_data_acceptance": {"enabled": True, "expected-statuses": [*JUDGED, 400, 412, 413, 429]},
                    "negative_data_rejection": {"enabled": True, "expected-statuses": [*REFUSED, 412]},
                    "missing_required_header": {"enabled": True, "expected-statuses": [*REFUSED, 412]},
                },
            },
            *(
                [
                    {
                        "include-name": barred,
                        "phases": {"coverage": {"enabled": False}},
                        "generation": {"max-examples": 2},
                    }
                ]
                if barred and not long
                else []
            ),
        ],
    }


def _authorization(bearer: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {bearer}"} if bearer else {}


def fuzz(
    installation: Installation,
    bearer: str | None,
    leaving: str | None,
    names: Mapping[str, list[str]],
    *,
    seed: int,
    seconds: float,
    barred: list[str],
) -> Findings:
    """Fuzz all operations as the owner of `bearer`; return the findings.

    `leaving` is the token of another session of theirs, for the log-out. The run takes `seconds`; with 0 it makes the
    same requests each time.
    """
    config = schemathesis.Config.from_dict(configured(names, seed, seconds > 0, bearer, leaving, barred))
    schema = schemathesis.openapi.from_url(f"{installation.url}/api/v1/openapi.json", config=config)
    schema.config.update(base_url=installation.url)
    engine, findings = from_schema(schema), Findings()
    for event in engine.fuzz(FuzzConfig(max_time=int(seconds))) if seconds else engine.execute():
        findings.take(event)
    return findings
