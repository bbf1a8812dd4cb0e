"""The API's documentation page at /api/docs: Swagger UI from an installed package, with no external resources."""

from pathlib import Path

from flask import Blueprint, Response, abort, request, send_from_directory, url_for
from swagger_ui_bundle import swagger_ui_path

ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js")

# Swagger UI writes style attributes and data: images; the rest is as strict as on other pages.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pengaduan NKK: API</title>
<link rel="stylesheet" href="{css}">
<link rel="icon" href="data:,">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript. The same description for programs: <a href="{spec}">{spec}</a></noscript>
<script src="{js}"></script>
<script src="{start}"></script>
</body>
</html>
"""

START = """window.ui = SwaggerUIBundle({url: "%s", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null,
  defaultModelsExpandDepth: 0, docExpansion: "list"});
"""

pages = Blueprint("docs", __name__)


@pages.get("/api/docs")
def page() -> Response:
    """Return the documentation page."""
    return Response(
        PAGE.format(
            css=url_for(".asset", name="swagger-ui.css"),
            js=url_for(".asset", name="swagger-ui-bundle.js"),
            start=url_for(".start"),
            spec=url_for("api-docs.openapi_json"),
        ),
        mimetype="text/html",
    )


@pages.get("/api/docs/start.js")
def start() -> Response:
    """Return the script that starts Swagger UI on this API."""
    return Response(START % url_for("api-docs.openapi_json"), mimetype="text/javascript")


@pages.get("/api/docs/<name>")
def asset(name: str) -> Response:
    """Return a file of Swagger UI."""
    if name not in ASSETS:
        abort(404)
    return send_from_directory(Path(swagger_ui_path), name, max_age=86_400)


@pages.after_request
def _relax(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    if request.endpoint == "docs.asset":
        response.headers["Cache-Control"] = "public, max-age=86400"
    return response
