"""Rate limits where their shared store, Redis, is down."""

import socket

from limits.storage import storage_from_string
from structlog.testing import capture_logs

from gateway import counting


def test_where_redis_is_down_each_process_counts_and_says_so_once() -> None:
    with socket.socket() as nobody:
        # Bound but not listening, so that connections are refused.
        nobody.bind(("127.0.0.1", 0))
        settings = counting.settings(f"redis://127.0.0.1:{nobody.getsockname()[1]}/0")
        store = storage_from_string(settings["RATELIMIT_STORAGE_URI"], **settings["RATELIMIT_STORAGE_OPTIONS"])
        with capture_logs() as logs:
            assert [store.incr("source", 60) for _ in range(4)] == [1, 2, 3, 4]
            assert (store.get("source"), store.check()) == (4, True)
    assert [line["error"] for line in logs] == ["ConnectionError"]
