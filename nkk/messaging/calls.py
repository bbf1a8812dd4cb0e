"""The names that both ends of a call agree on; Nameko's own protocol, with two errors added."""

EXCHANGE = "nameko-rpc"

UNAVAILABLE = "Unavailable"
"""The stage answered that its database does not."""

FAILED = "Failed"
"""The stage met a fault of its own; its log says which."""
