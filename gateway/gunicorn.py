"""gunicorn's configuration for the gateway, from the environment. Workers have threads, which the RPC client allows."""

import gc
from typing import Any

from gunicorn.glogging import Logger

from nkk import settings

try:
    # Checked here, once in the master: otherwise each worker would fail and be restarted.
    settings.check(settings.OF["gateway"])
except settings.SettingsError as error:
    raise SystemExit(str(error)) from None

bind = settings.NKK_BIND.get()
workers = settings.NKK_GATEWAY_WORKERS.get()
threads = settings.NKK_GATEWAY_THREADS.get()
worker_class = "gateway.worker.Worker"
worker_connections = settings.NKK_GATEWAY_CONNECTIONS.get()
timeout = 60
graceful_timeout = 30
# 200 ids in GET /staff/names are 7,400 characters.
limit_request_line = 8190
limit_request_fields = 60
control_socket_disable = True
# gunicorn's default trusts clients on this machine; the gateway trusts only NKK_TRUSTED_PROXIES.
forwarded_allow_ips = ""


def post_worker_init(worker: Any) -> None:
    """Check uploads in the background, and end live streams when the worker stops.

    Each stream would hold the worker until the graceful timeout.
    """
    worker.wsgi.extensions["checker"].start()
    # Loaded code stays: keep the garbage collector from scanning it again.
    gc.collect()
    gc.freeze()
    worker.wsgi.extensions["live"].is_leaving = lambda: not worker.alive


class NoAccessLog(Logger):
    """A logger without an access log, because the gateway logs each request itself."""

    def access(self, *_: object) -> None:
        return


logger_class = NoAccessLog
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"json": {"()": "nkk.log.handler"}},
    "root": {"level": "INFO", "handlers": ["json"]},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
        # A request that waits for a thread needs no warning.
        "waitress.queue": {"level": "ERROR"},
    },
}
