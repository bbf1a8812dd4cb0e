"""The names of a stage's exchanges. They are part of its contract with every subscriber and never change."""


def exchange_name(service: str) -> str:
    """Return the name of the exchange to which `service` publishes its events."""
    return f"{service}.events"


def moves_name(service: str) -> str:
    """Return the name of the exchange through which `service`, and no other, moves events between its own queues."""
    return f"{service}.moves"
