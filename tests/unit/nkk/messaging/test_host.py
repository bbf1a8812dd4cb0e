"""Host names are resolved again for each connection, without blocking the rest of the stage."""

import errno
import json
import subprocess
import sys

from nkk.messaging.publisher import address, trouble

ASKED = """
import json, _socket, eventlet
from time import sleep as really_sleep
eventlet.monkey_patch()
from nkk.messaging.host import look_up_anew
asked = []

def slow(host, port, *_):
    asked.append(host)
    really_sleep(0.5)
    return [(_socket.AF_INET, _socket.SOCK_STREAM, 6, "", (f"127.0.0.{len(asked)}", port))]

_socket.getaddrinfo = slow
look_up_anew()
import socket
from eventlet.green import socket as green
ticks = []

def tick():
    while True:
        ticks.append(1)
        eventlet.sleep(0.01)

eventlet.spawn(tick)
found = [module.getaddrinfo("broker.example", 5672)[0][4][0] for module in (socket, socket, green)]
try:
    socket.create_connection(("broker.example", 1))
except OSError:
    pass
print(json.dumps([found, len(asked), len(ticks)]))
"""


def test_a_name_is_asked_for_each_time_and_holds_up_nothing():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", ASKED], capture_output=True, text=True, timeout=60, check=True
    )
    found, asked, ticks = json.loads(done.stdout)
    assert found == ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
    assert asked == 4
    assert ticks > 50


def test_a_log_says_which_error_it_was_and_where_but_no_password():
    assert trouble(ConnectionRefusedError(errno.ECONNREFUSED, "a person's words")) == {
        "error": "ConnectionRefusedError",
        "errno": "ECONNREFUSED",
    }
    assert trouble(ConnectionError("lost")) == {"error": "ConnectionError", "errno": None}
    assert address("amqp://intake:secret@rabbitmq/nkk") == "rabbitmq:5672"
    assert address("amqps://intake:secret@[::1]:7000//") == "::1:7000"
