"""Forms: validated by the API's schemas and the stages, and shown again with every fault at its field."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import flash, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from marshmallow import Schema

from gateway import left_out
from gateway.errors import RETRY_AFTER_SECONDS, STATUS
from gateway.files.stores import StoreError
from gateway.site import uploading
from gateway.site.field_faults import sentence
from nkk.log import get_logger
from nkk.messaging.calls import RefusedRemotelyError, StageBusyError, StageUnavailableError
from nkk.sop.refusals import InvalidInput, Refused
from nkk.validation import load

REVIEW = "tinjau"
"""The field of a form that is to be shown again as typed, and not carried out yet."""

NOT_TYPED = ("csrf_token", REVIEW)
RADIOS = ("kind", "channel", "claimed_kind", "role", "approved", "rating")
"""The fields with radio buttons."""

TICKED = ("confidential", "conflict")
"""The fields with a check box, which a browser sends only where they are ticked."""

APART = "reporter"
"""The part of a form whose faults are shown at its own fields, which the page has among the others."""

SECRETS = ("password", "new_password", "token", "access_code")

T = TypeVar("T")

log = get_logger()


@dataclass
class Form:
    """A form's typed values and its faults.

    `faults` holds sentences by field name. `status` is 503 where a stage is unavailable or `busy`; `wait` is how many
    seconds to wait before sending it again. Invisible characters were removed from the fields in `cleaned`.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)
    status: int = 200
    cleaned: tuple[str, ...] = ()
    wait: int | None = None
    busy: bool = False

    @property
    def away(self) -> bool:
        """Whether the form could not be carried out because a stage does not answer."""
        return self.status == 503

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    def leave_out(self, loaded: Mapping[str, Any], fields: list[str]) -> bool:
        """Return whether the visitor must check the form because characters were removed from `fields`.

        The form then holds the cleaned values. It is not carried out yet, because much cannot be changed afterwards.
        """
        self.cleaned = tuple(name for name in fields if name in self.values and isinstance(loaded[name], str))
        if self.cleaned:
            self.values = dict(self.values) | {name: loaded[name] for name in self.cleaned}
            self.status = 422
        return bool(self.cleaned)

    def in_order(self, labels: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
        """Return the faults in the page's order, which is that of `labels`, then those of numbered rows in theirs."""
        places = {name: place for place, name in enumerate(labels)}

        def place(fault: tuple[str, list[str]]) -> tuple[int, int]:
            number = fault[0].rpartition("-")[2]
            return places.get(fault[0], len(places)), int(number) if number.isdecimal() else 0

        return sorted(self.faults.items(), key=place)


Show = Callable[[Form], str]
Read = Callable[[Mapping[str, str]], dict[str, Any]]


def typed() -> dict[str, str]:
    """Return the fields of this request's form that the visitor typed."""
    return {name: value for name, value in request.form.items() if name not in NOT_TYPED}


def reviewing() -> bool:
    """Return whether this request only asks to show its form again."""
    return REVIEW in request.form


def idle() -> bool:
    """Return whether this request carries nothing out: a GET, or a request to show its form again."""
    return request.method == "GET" or reviewing()


def filled_in(schema: type[Schema], values: Mapping[str, str]) -> dict[str, Any]:
    """Return the schema's fields that are not empty; a browser also sends empty ones, and the page's own."""
    return {name: values[name] for name in schema._declared_fields if values.get(name, "").strip()}


def together(reads: Iterable[Callable[[], T]]) -> list[T]:
    """Return the results of all `reads`. Raises InvalidInput with the faults of all of them together."""
    read: list[T] = []
    faults: dict[str, Any] = {}
    for each in reads:
        try:
            read.append(each())
        except InvalidInput as fault:
            faults |= fault.details["fields"]
    if faults:
        raise InvalidInput({"fields": faults})
    return read


def attempt(
    schema: type[Schema], act: Callable[[dict[str, Any]], ResponseReturnValue], show: Show, read: Read | None = None
) -> ResponseReturnValue:
    """Carry out `act` with the request's form as `read` and `schema` load it; where it has faults, show it again.

    A refusal that names no field is not the form's fault, and is raised for a page of its own.
    """
    form = Form(typed())
    if reviewing():
        return show(form)
    try:
        uploading.check()
        sent = read(form.values) if read else filled_in(schema, form.values)
        loaded = load(schema, sent)
        left_out.note(sent, loaded)
        if form.leave_out(loaded, left_out.noted()):
            return show(form), form.status
        done = act(loaded)
    except (Refused, RefusedRemotelyError) as refusal:
        if not _explain(form, refusal):
            raise
    except StoreError as error:
        log.warning("store unavailable", error=type(error).__name__)
        form.status, form.wait = 503, RETRY_AFTER_SECONDS
    except StageUnavailableError as error:
        form.busy = isinstance(error, StageBusyError)
        log.warning("stage busy" if form.busy else "stage unavailable", stage=str(error))
        form.status, form.wait = 503, RETRY_AFTER_SECONDS
    else:
        if left_out.noted():
            flash(
                gettext(
                    "Dalam tulisan Anda ada tanda kendali yang tidak tampak, biasanya terbawa saat menempel. "
                    "Kami menghapusnya; periksa apakah hasilnya masih benar."
                ),
                "info",
            )
        return done
    return show(form), form.status, {"Retry-After": str(form.wait)} if form.wait else {}


def _explain(form: Form, refusal: Refused | RefusedRemotelyError) -> bool:
    """Write into `form` what the refusal says of its fields; return False where it says nothing of any."""
    name = refusal.name if isinstance(refusal, RefusedRemotelyError) else type(refusal).__name__
    if name in uploading.REFUSALS:
        form.faults["files"], form.status = uploading.said(refusal, name)
        return True
    named = refusal.details.get("fields")
    if not named:
        return False
    apart = named.get(APART)
    if isinstance(apart, Mapping):
        named = {name: said for name, said in named.items() if name != APART} | dict(apart)
    form.faults = flat(named, form.values)
    form.status, form.wait = STATUS.get(name, 422), refusal.details.get("retry_after")
    return True


def answer(
    schema: type[Schema], act: Callable[[dict[str, Any]], ResponseReturnValue], show: Show, read: Read | None = None
) -> ResponseReturnValue:
    """Answer a page that is one form: show it empty, or attempt what was sent."""
    return show(Form()) if request.method == "GET" else attempt(schema, act, show, read)


def flat(named: Mapping[str, Any], written: Mapping[str, str] | None = None) -> dict[str, list[str]]:
    """Return sentences in the page's language by field; faults of nested fields under their outermost name.

    With the texts `written`, they also say by how much a text is too long.
    """
    values = written or {}
    return {name: [_said(name, fault, values.get(name, "")) for fault in _faults(said)] for name, said in named.items()}


def _said(name: str, fault: Any, written: str) -> str:
    code = fault.get("code") if isinstance(fault, Mapping) else None
    if name in RADIOS and code in ("missing", "null", "empty"):
        return gettext("Pilih salah satu.")
    over = len(written.replace("\r\n", "\n")) - fault["most"] if code in ("wrong-length", "too-long") else 0
    return f"{sentence(fault)} {gettext('Kelebihan %(over)s karakter.', over=over)}" if over > 0 else sentence(fault)


def _faults(said: Any) -> list[Any]:
    if isinstance(said, Mapping):
        return [fault for inner in said.values() for fault in _faults(inner)]
    return said if isinstance(said, list) else [said]
