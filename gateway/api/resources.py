"""Parsing of the API's input, and description of its resources: JSON only, and precise faults instead of guesses."""

import json
from collections.abc import Callable
from typing import Any

from flask import Request, g
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema, ValidationError
from webargs.core import is_json
from webargs.flaskparser import FlaskParser, abort

from gateway import left_out
from gateway.api.describing import with_refusals
from nkk.sop import faults


class TwiceError(Exception):
    """A JSON object has a key twice. A proxy that checked the body may have read the other value."""


class StrictJsonParser(FlaskParser):
    """A parser that accepts only JSON, and in queries only known parameters, each once."""

    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {"query": RAISE}

    def pre_load(self, location_data: Any, *, schema: Schema, req: Request, location: str) -> Any:
        """Keep the JSON body for `parse`, and return it unchanged."""
        if location == "json":
            g.sent = location_data
        return location_data

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        """Parse as webargs does, and note the text that the schema removed."""
        loaded = super().parse(*args, **kwargs)
        if (sent := g.pop("sent", None)) is not None:
            left_out.note(sent, loaded)
        return loaded

    def load_querystring(self, req: Request, schema: Schema) -> Any:
        """Load the query as webargs does, but raise ValidationError where a parameter is repeated."""
        if twice := [name for name, values in req.args.lists() if len(values) > 1]:
            raise ValidationError({name: [faults.TWICE()] for name in twice})
        return super().load_querystring(req, schema)

    def _raw_load_json(self, req: Request) -> Any:
        body = req.get_data(cache=True)
        # A body of unknown length is truncated at the limit instead of refused.
        if req.content_length is None and len(body) == req.max_content_length:
            abort(413)
        if not body and req.method != "PUT":
            # A request without a body needs no content type. PUT needs a body, because it replaces the whole.
            return {}
        if not is_json(req.mimetype) or (req.content_encoding or "identity").lower() != "identity":
            abort(415)
        try:
            written = body.decode("utf-8-sig")
            content = json.loads(written, parse_constant=_refuse_constant, object_pairs_hook=_each_once)
        except TwiceError:
            abort(400, detail="An object has the same key twice. Send each key once.")
        except (ValueError, RecursionError):
            abort(400, detail="The body is not JSON. Check quotes, commas and brackets, and that it is UTF-8.")
        if b"\\ud" in body.lower() and not _is_text(content):
            abort(400, detail="A text holds half a surrogate pair (a broken emoji?), which no database can keep.")
        if not isinstance(content, dict):
            abort(400, detail="The body must be a JSON object: fields and values within { and }.")
        return content


class Resources(Blueprint):
    """A group of resources of the API."""

    ARGUMENTS_PARSER = StrictJsonParser()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._prepare_doc_cbks.append(with_refusals)

    def add_url_rule(self, rule: str, endpoint: str | None = None, *args: Any, **options: Any) -> None:
        """Add a rule as flask-smorest does, with an operationId that links can name."""
        super().add_url_rule(rule, endpoint, *args, **options)
        endpoint = self._endpoints[-1]
        for about in self._docs[endpoint].values():
            if about:
                about.setdefault("manual_doc", {})["operationId"] = f"{self.name}_{endpoint}"

    def arguments(self, *args: Any, **kwargs: Any) -> Callable[[Any], Any]:
        """Add arguments as flask-smorest does, with a 422 response named the same in all Python versions."""
        decorate = super().arguments(*args, **kwargs)

        def described(view: Any) -> Any:
            taking = decorate(view)
            taking._apidoc["arguments"]["responses"] = {422: "INVALID_INPUT"}
            return taking

        return described


def _refuse_constant(name: str) -> float:
    raise ValueError(name)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise TwiceError
    return found


def _is_text(content: Any) -> bool:
    try:
        json.dumps(content, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
