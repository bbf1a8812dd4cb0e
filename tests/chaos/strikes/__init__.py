"""How each kind of fault is struck and healed, one module for each place."""

from tests.chaos.strikes import clocks, cluster, databases, gateway, network, node, stages
from tests.chaos.strikes.kinds import Kind

KINDS: tuple[Kind, ...] = (
    *stages.KINDS,
    *gateway.KINDS,
    *node.KINDS,
    *cluster.KINDS,
    *databases.KINDS,
    *network.KINDS,
    *clocks.KINDS,
)

BY_NAME = {kind.name: kind for kind in KINDS}
