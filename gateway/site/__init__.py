"""The pages: the same acts as the API's, for people. One module a kind of visitor; nothing here speaks RPC itself."""

from typing import Any

from flask import Flask, g, request

from gateway.site import faults, journey, language, session, static, words
from gateway.site.guard import protection


def register(app: Flask) -> None:
    """Give `app` its pages."""
    from gateway.site import (
        account,
        admin,
        calendar,
        cases,
        desks,
        holidays,
        overview,
        papers,
        public,
        reporter,
        teams,
        versions,
    )

    app.config.update(
        SECRET_KEY=app.config["SITE_KEY"],
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # The API takes no cookie, so that nothing of it can be done in somebody's name from elsewhere: it needs none.
        WTF_CSRF_CHECK_DEFAULT=False,
        # As long as the session: an hour would be over in the middle of a long complaint.
        WTF_CSRF_TIME_LIMIT=None,
        # Pages send their referrer to this site alone, and some browsers none: the token is what counts.
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
        cases,
        papers,
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
