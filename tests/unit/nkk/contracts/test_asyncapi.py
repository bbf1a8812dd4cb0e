"""The AsyncAPI document is enough to write a tool by: its parts fit together, and it names what is really there."""

from typing import Any

import pytest

from nkk.contracts import EVENTS, STAGES
from nkk.contracts.asyncapi import document
from nkk.messaging import topology

DOCUMENT = document()


def references(part: Any) -> list[str]:
    """Every reference in a part of the document."""
    if isinstance(part, dict):
        found = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return found + [each for value in part.values() for each in references(value)]
    return [each for value in part for each in references(value)] if isinstance(part, list) else []


def at(reference: str) -> Any:
    """What a reference refers to."""
    found: Any = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def test_a_reference_leads_somewhere():
    assert [reference for reference in references(DOCUMENT) if not at(reference)] == []


@pytest.mark.parametrize("stage", STAGES)
def test_it_names_the_exchanges_and_queues_that_are_declared(stage):
    bindings = [channel["bindings"]["amqp"] for channel in DOCUMENT["channels"].values()]
    exchanges = {(each["exchange"]["name"], each["exchange"]["type"]) for each in bindings if "exchange" in each}
    requests = topology.replay_requests(stage)
    for declared in (topology.exchange(stage), requests.exchange):
        assert (declared.name, declared.type) in exchanges
    queues = {each["queue"]["name"] for each in bindings if "queue" in each}
    assert {f"tool.{{tool}}.{stage}", f"tool.{{tool}}.{stage}.replay"} <= queues
    assert topology.replay(stage).name == f"{stage}.replay"


def test_no_tool_receives_what_is_private():
    private = {event.__name__ for event in EVENTS if event.PRIVATE}
    assert private
    for name, channel in DOCUMENT["channels"].items():
        if "Queue" in name:
            assert not private & set(channel["messages"]), name


@pytest.mark.parametrize("name", ["ReplayRequest", "ReplayEnded", "ReplayRefused"])
def test_the_examples_of_a_replay_fit_their_schemas(name):
    message = DOCUMENT["components"]["messages"][name]
    schema = at(message["payload"]["$ref"])
    for example in message["examples"]:
        assert set(schema["required"]) == set(schema["properties"]) == set(example["payload"])
        assert set(example.get("headers", {})) == set(message.get("headers", {}).get("required", ()))


def test_the_second_key_is_named_where_an_event_can_concern_an_opd():
    described = {name: each.get("description", "") for name, each in DOCUMENT["operations"].items()}
    assert "`opd.{opd}.complaint.forwarded.v1`" in described["onComplaintForwarded"]
    assert "second routing key" not in described["onAnswerSent"] + described["onStepOverdueByIntake"]
