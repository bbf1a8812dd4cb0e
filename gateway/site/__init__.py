"""The website: pages for people with the same acts as the API. No module here calls RPC by itself."""

from typing import Any

from flask import Flask, g, request

from gateway.evidence import limits as upload_limits
from gateway.site import faults, journey, language, session, static, uploading, words
from gateway.site.csrf import protection


def register(app: Flask) -> None:
    """Register the pages with `app`."""
    from gateway.site import (
        account,
        acts,
        admin,
        calendar,
        cases,
        desks,
        entering,
        evidence,
        holidays,
        overview,
        papers,
        public,
        reporter,
        teams,
        uploads,
        versions,
    )

    app.config.update(
        SECRET_KEY=app.config["SITE_KEY"],
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # Not for the API, which takes no cookie, so that no other site can act in a visitor's name there.
        WTF_CSRF_CHECK_DEFAULT=False,
        # Valid as long as the session: an hour could end in the middle of a long complaint.
        WTF_CSRF_TIME_LIMIT=None,
        # Not by the referrer, which some browsers do not send; the token decides.
        WTF_CSRF_SSL_STRICT=False,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.session_interface = session.Cookies()
    protection.init_app(app)
    language.register(app)
    static.register(app)
    words.register(app)
    for module in (
        public,
        account,
        reporter,
        entering,
        cases,
        acts,
        papers,
        evidence,
        uploads,
        desks,
        overview,
        admin,
        calendar,
        versions,
        holidays,
        teams,
    ):
        app.register_blueprint(module.pages)
    faults.register(app)
    app.add_template_global(journey.whole, "whole_service")
    app.add_template_global(uploading.kept, "kept_uploads")
    app.add_template_global(upload_limits, "upload_limits")
    app.context_processor(_for_every_page)


def _for_every_page() -> dict[str, Any]:
    return {
        "actor": session.known_actor(),
        "draft_owner": session.draft_owner(),
        "draft_key": session.draft_key(),
        "draft_name": session.draft_name,
        "here": request.full_path.rstrip("?"),
        "done_draft": g.get("done_draft"),
    }
