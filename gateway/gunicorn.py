"""How gunicorn runs the gateway: threads, since the RPC client serves many at once; settings from the environment."""

import gc
from typing import Any

from gunicorn.glogging import Logger

from nkk import settings

try:
    # Here, by the one process that starts the others: they would each fail, and be started again.
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
# gunicorn would believe whoever comes from this machine; whom to believe NKK_TRUSTED_PROXIES says.
forwarded_allow_ips = ""


def post_worker_init(worker: Any) -> None:
    """End the worker's live streams with it: each would else keep it for as long as it may take to stop."""
    # What was loaded stays loaded: the garbage collector need not look through it again and again.
    gc.collect()
    gc.freeze()
    worker.wsgi.extensions["live"].is_leaving = lambda: not worker.alive


class NoAccessLog(Logger):
    """The gateway logs each request itself; gunicorn would put a line together that its level then drops."""

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
        # A request that waits for a thread is no news.
        "waitress.queue": {"level": "ERROR"},
    },
}
