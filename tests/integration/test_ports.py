"""The port of a stack is its own from the moment it is chosen."""

from nkk.stack.ports import free_port, listening_socket


def test_a_port_that_is_held_is_given_to_nobody_else():
    port = free_port()
    with listening_socket(port) as first, listening_socket(port) as second:
        assert first.getsockname()[1] == port
        assert second.getsockname()[1] != port
        assert free_port(port) != port
