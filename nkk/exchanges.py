"""The names of a stage's exchanges, which are its contract with every subscriber and never change."""


def exchange_name(service: str) -> str:
    """Return the name of the exchange to which `service` publishes its events."""
    return f"{service}.events"


def moves_name(service: str) -> str:
    """Return the name of the exchange by which `service` alone puts an event into a queue of its own."""
    return f"{service}.moves"
