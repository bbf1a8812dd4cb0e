"""Creation and configuration of the gateway's Flask application."""

import re
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, Response, g, jsonify, request

from gateway import api, cors, counting, docs, errors, evidence, left_out, limits, methods, proxies, site, tus
from gateway.backend import Backend, backend
from gateway.files import setting_up
from gateway.live import LiveFeed
from nkk import settings
from nkk.clock import utc_now
from nkk.log import begin_context, get_logger
from nkk.messaging.plain import take_as_they_are
from nkk.sop.steps import STAFF_ROLES
from nkk.trust.actor import Actor

MAX_BODY_BYTES = 256 * 1024

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

log = get_logger()


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Return the gateway as a WSGI application; `config` replaces the settings of the environment.

    AMQP_URI, INTAKE_PUBLIC_KEY, TOKEN_PUBLIC_KEY, SITE_KEY, SITE_URL (the site's public address), TEMPLATES (the folder
    of the agency's own document templates, or empty), RPC_TIMEOUT (seconds), LIMIT_REGISTRATION, LIMIT_LOGIN,
    LIMIT_RESET, LIMIT_SUBMISSION, LIMIT_DOCUMENTS, LIMIT_WEBSITE, LIMIT_UPLOADS, LIVE_STREAMS, TRUSTED_PROXIES; CLOCK
    (nkk.clock) where it is not the machine's, WEBSITE_ORIGINS where there are any, and those of `setting_up.DEFAULTS`.
    """
    app = methods.Gateway(__name__, static_folder=None)
    usual = {"CLOCK": utc_now, "WEBSITE_ORIGINS": frozenset(), **setting_up.DEFAULTS}
    app.config.update(usual | dict(config if config is not None else _from_environment()))
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.wsgi_app = proxies.behind(app.wsgi_app, app.config["TRUSTED_PROXIES"])  # type: ignore[method-assign]
    take_as_they_are()
    app.extensions["nkk"] = Backend(app.config["AMQP_URI"], app.config["INTAKE_PUBLIC_KEY"], app.config["RPC_TIMEOUT"])
    app.extensions["live"] = LiveFeed(app.config["AMQP_URI"], app.config["LIVE_STREAMS"])
    setting_up.set_up(app)
    app.before_request(_begin)
    app.before_request(cors.answer_preflight)
    app.before_request(methods.check)
    app.after_request(_end)
    limits.limiter.init_app(app)
    api.register(app)
    app.extensions["checker"].known = app.extensions["uploads"].holdings.attached = _attached(app)
    app.register_blueprint(docs.pages)
    errors.register(app)
    site.register(app)
    app.add_url_rule("/healthz", view_func=_health)
    app.add_url_rule("/readyz", view_func=_ready)
    app.add_url_rule("/readyz/gateway", view_func=_ready_itself)
    return app


def _attached(app: Flask) -> Callable[[list[str]], set[str]]:
    """Return what tells which uploads are attached to a report or a response, by asking the stages."""

    def attached(ids: list[str]) -> set[str]:
        with app.app_context():
            return evidence.are_attached(ids)

    return attached


def _from_environment() -> dict[str, Any]:
    streams = settings.NKK_LIVE_STREAMS.get()
    return {
        "AMQP_URI": settings.AMQP_URI.get(),
        "INTAKE_PUBLIC_KEY": settings.NKK_INTAKE_PUBLIC_KEY.get(),
        "TOKEN_PUBLIC_KEY": settings.NKK_TOKEN_PUBLIC_KEY.get(),
        "SITE_URL": settings.NKK_SITE_URL.get(),
        "TEMPLATES": settings.NKK_TEMPLATES.get(),
        "SITE_KEY": settings.NKK_SITE_KEY.get(),
        "RPC_TIMEOUT": settings.NKK_RPC_TIMEOUT.get(),
        # Half of the threads are kept for requests.
        "WEBSITE_ORIGINS": settings.NKK_WEBSITE_ORIGINS.get(),
        "LIVE_STREAMS": settings.NKK_GATEWAY_THREADS.get() // 2 if streams is None else streams,
        "TRUSTED_PROXIES": proxies.Proxies(*settings.NKK_TRUSTED_PROXIES.get()),
        **setting_up.from_environment(),
        **counting.settings(settings.NKK_LIMIT_STORAGE.get() or counting.default_store()),
        **{f"LIMIT_{name}": setting.get() for name, setting in settings.LIMITS.items()},
    }


def _begin() -> None:
    # Always generated here, so that no client's text gets into events, databases or other processes' logs.
    g.correlation_id = str(uuid.uuid4())
    given = request.headers.get("X-Request-ID", "")
    g.client_request_id = given if _REQUEST_ID.fullmatch(given) else None
    g.began = time.monotonic()
    begin_context(correlation_id=g.correlation_id)


def _end(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    left_out.tell(response)
    limits.tell(response)
    cors.tell(response)
    tus.tell(response)
    response.headers["X-Request-ID"] = g.get("client_request_id") or g.get("correlation_id", "")
    _log(response)
    return response


def _log(response: Response) -> None:
    seconds = time.monotonic() - g.get("began", time.monotonic())
    # The rule, not the address, so that no ticket, user name or cursor is logged.
    method = methods.asked() if methods.asked() in _METHODS else "other"
    log.info(
        "request",
        method=method,
        rule=str(request.url_rule),
        status=response.status_code,
        ms=round(seconds * 1000, 1),
        **_caller(g.get("actor")),
    )


def _caller(actor: Actor | None) -> Mapping[str, str | None]:
    """Return what the log says about the caller: the role, and only for staff the account and the client's request id.

    The stages' logs and outboxes have the same correlation id. Together they would show who wrote which report, also
    one that was accepted although its request failed.
    """
    if actor is None or actor.role not in STAFF_ROLES:
        return {"role": actor.role if actor else None}
    return {"role": actor.role, "actor": actor.id, "client_request_id": g.get("client_request_id")}


def _health() -> Response:
    """Return 200, because the process runs."""
    return jsonify(status="alive")


def _ready() -> tuple[Response, int]:
    """Return 200 where the broker and every stage answer."""
    stages = backend().ping()
    ready = all(stages.values())
    return jsonify(status="ready" if ready else "not ready", stages=stages), 200 if ready else 503


def _ready_itself() -> tuple[Response, int]:
    """Return 200 where this process is connected to the broker, whether or not stages answer; for a load balancer."""
    ready = backend().is_connected()
    return jsonify(status="ready" if ready else "not ready"), 200 if ready else 503
