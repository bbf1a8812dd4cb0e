"""A partition works: the others miss the node, it pauses itself, and it comes back."""

from pathlib import Path

import pytest
from kombu import Connection

from nkk.messaging.publisher import BROKER_ERRORS, connect
from tests.chaos.cluster import NAMES, Cluster
from tests.chaos.nodes import tell
from tests.installations import eventually

pytestmark = pytest.mark.long

FIRST, SECOND, THIRD = NAMES


def test_a_node_that_is_cut_off_is_missed_pauses_itself_and_comes_back(tmp_path: Path) -> None:
    with Cluster(tmp_path / "rabbitmq") as cluster:
        assert cluster.running() == [FIRST, SECOND, THIRD]
        cluster.partition(THIRD)
        eventually(lambda: cluster.running() == [FIRST, SECOND], patience=90)
        # Each side notices the other's absence in its own time.
        eventually(lambda: THIRD not in cluster.running(THIRD), patience=90)
        # The node pauses itself, but its operator still reaches it.
        assert tell(cluster.nodes[THIRD], "node().") == "'rabbit@node-3'"
        with Connection(cluster.nodes[FIRST].uri) as connection:
            queue = connection.default_channel.queue_declare(
                "a-queue", durable=True, auto_delete=False, arguments={"x-queue-type": "quorum"}
            )
            assert queue.queue == "a-queue"
        cluster.heal(THIRD)
        eventually(lambda: cluster.running(THIRD) == [FIRST, SECOND, THIRD], patience=90)
        eventually(lambda: takes_connections(cluster.nodes[THIRD].uri), patience=90)
        assert cluster.mend() == []


def takes_connections(uri: str) -> bool:
    try:
        connect(uri).release()
    except BROKER_ERRORS:
        return False
    return True
