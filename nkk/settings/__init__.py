"""The settings of every process, read from the environment and checked at start.

All invalid settings are reported together, each by name with what is wrong and what to write. The modules beside this
one have the parsers: each returns the parsed value, or raises ValueError with what is wrong and what to write, without
the value itself, which may hold a password or a key.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

from nkk.settings import addresses, keys, mail, numbers, paths, urls
from nkk.settings.keys import KEYS_HINT

T = TypeVar("T")


class SettingsError(Exception):
    """Invalid settings, with a sentence for each."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = list(dict.fromkeys(faults))
        one = len(self.faults) == 1
        super().__init__(
            self.faults[0] if one else "\n  ".join([f"{len(self.faults)} settings cannot be used:", *self.faults])
        )


@dataclass(frozen=True)
class Setting(Generic[T]):
    """An environment variable.

    `read` parses its text, or raises ValueError with what is wrong and what to write. `default` is used where it is
    unset or empty; without a default it must be set. The value of a `secret` one is never repeated.
    """

    name: str
    read: Callable[[str], T]
    default: str | None = None
    secret: bool = False
    hint: str = "See docs/operations.md."

    def get(self, environment: Mapping[str, str] | None = None) -> T:
        """Return its parsed value. Raises SettingsError where it is missing or invalid."""
        text = (os.environ if environment is None else environment).get(self.name) or self.default
        if text is None:
            raise SettingsError([f"{self.name} is not set. {self.hint}"])
        try:
            return self.read(text)
        except ValueError as fault:
            shown = self.name if self.secret else f"{self.name}={text}"
            raise SettingsError([f"{shown} {fault}"]) from None


def check(settings: Iterable[Setting[Any]], environment: Mapping[str, str] | None = None) -> None:
    """Raise SettingsError, naming every invalid one of `settings`, where there is any."""
    settings, faults = list(settings), []
    for setting in settings:
        try:
            setting.get(environment)
        except SettingsError as error:
            faults += error.faults
    if NKK_LIVE_STREAMS in settings and (fault := _takes_all_threads(environment)):
        faults.append(fault)
    if faults:
        raise SettingsError(faults)


def _takes_all_threads(environment: Mapping[str, str] | None) -> str:
    try:
        streams, threads = NKK_LIVE_STREAMS.get(environment), NKK_GATEWAY_THREADS.get(environment)
    except SettingsError:
        return ""
    if streams is None or streams < threads:
        return ""
    return (
        f"NKK_LIVE_STREAMS={streams} would take all {threads} threads (NKK_GATEWAY_THREADS), and leave none for "
        f"requests. Write at most {threads - 1}, or allow more threads."
    )


_key = partial(Setting[str], secret=True, hint=KEYS_HINT)

AMQP_URI = Setting("AMQP_URI", urls.amqp_uri, secret=True)
NKK_TOOL_URI = Setting("NKK_TOOL_URI", urls.amqp_uri, secret=True, hint="`nkk tools add` prints it. See docs/tools.md.")
NKK_TOOL_CA = Setting("NKK_TOOL_CA", str, "")
DATABASE_URL = Setting("DATABASE_URL", urls.database_url, secret=True)
NKK_BROKER_API = Setting(
    "NKK_BROKER_API",
    urls.broker_api,
    secret=True,
    hint="Users and limits of tools are set by RabbitMQ's management API: write its address beside AMQP_URI, such as "
    "http://admin:password@host:15672 (docs/tools.md). A stack of `make run` with a broker of its own brings it.",
)


def database_of(service: str) -> Setting[str]:
    """Return the setting that holds the database of `service`, for commands that use all databases."""
    return replace(DATABASE_URL, name=f"{service.upper()}_DATABASE_URL")


WEBHOOKS_DATABASE_URL = database_of("webhooks")

NKK_MAX_WORKERS = Setting("NKK_MAX_WORKERS", numbers.number(1, 1000), "16")
NKK_RETRY_DELAYS = Setting("NKK_RETRY_DELAYS", numbers.delays, "1,5,30,120,600")

NKK_TOOLS_CERTIFICATE = Setting("NKK_TOOLS_CERTIFICATE", paths.file, "")
NKK_TOOLS_KEY = Setting("NKK_TOOLS_KEY", paths.file, "")
NKK_TOOLS_ADDRESS = Setting("NKK_TOOLS_ADDRESS", addresses.address, "127.0.0.1")
NKK_TOOLS_PORT = Setting("NKK_TOOLS_PORT", numbers.number(1, 65535), "5671")
NKK_TOOLS_HOST = Setting("NKK_TOOLS_HOST", addresses.host, "")
NKK_TOOL_DAYS = Setting("NKK_TOOL_DAYS", numbers.number(1, 49), "30")
# More than the past events that a stage lets wait for a tool (nkk.messaging.replay), of which none may be dropped.
NKK_TOOL_EVENTS = Setting("NKK_TOOL_EVENTS", numbers.number(20_000, 100_000_000), "1000000")

NKK_OUTBOX_DAYS = Setting("NKK_OUTBOX_DAYS", numbers.number(1, 36_500), "90")

NKK_QUESTION_DAYS = Setting("NKK_QUESTION_DAYS", numbers.number(1, 365), "30")

NKK_TOKEN_PUBLIC_KEY = _key("NKK_TOKEN_PUBLIC_KEY", keys.public_pem)
NKK_TOKEN_SIGNING_KEY = _key("NKK_TOKEN_SIGNING_KEY", keys.private_pem)
NKK_IDENTITY_KEYS = Setting("NKK_IDENTITY_KEYS", keys.identity_keys, secret=True, hint=KEYS_HINT)
NKK_LOGIN_INDEX_KEY = _key("NKK_LOGIN_INDEX_KEY", keys.secret_text)
NKK_INTAKE_PRIVATE_KEY = _key("NKK_INTAKE_PRIVATE_KEY", keys.box_key)
NKK_INTAKE_PUBLIC_KEY = _key("NKK_INTAKE_PUBLIC_KEY", keys.box_key)
NKK_NOTIFICATION_PRIVATE_KEY = _key("NKK_NOTIFICATION_PRIVATE_KEY", keys.box_key)
NKK_NOTIFICATION_PUBLIC_KEY = _key("NKK_NOTIFICATION_PUBLIC_KEY", keys.box_key)
NKK_SITE_KEY = _key("NKK_SITE_KEY", keys.secret_text)

NKK_SITE_URL = Setting("NKK_SITE_URL", urls.site_url, "http://localhost")
NKK_SMTP_URL = Setting("NKK_SMTP_URL", mail.mail_server, "", secret=True)
NKK_MAIL_DIR = Setting("NKK_MAIL_DIR", Path, "var/mail")
NKK_MAIL_FROM = Setting("NKK_MAIL_FROM", mail.mail_from, "pengaduan-nkk@example.id")

NKK_LETTERS_AN_HOUR = Setting("NKK_LETTERS_AN_HOUR", numbers.number(0, 1000), "12")

NKK_BIND = Setting("NKK_BIND", addresses.bind, "127.0.0.1:8080")
NKK_RPC_TIMEOUT = Setting("NKK_RPC_TIMEOUT", numbers.number(1, 600), "5")
NKK_GATEWAY_WORKERS = Setting("NKK_GATEWAY_WORKERS", numbers.number(1, 1000), "2")
NKK_GATEWAY_THREADS = Setting("NKK_GATEWAY_THREADS", numbers.number(1, 10_000), "16")
NKK_GATEWAY_CONNECTIONS = Setting("NKK_GATEWAY_CONNECTIONS", numbers.number(1, 1_000_000), "1000")
NKK_LIVE_STREAMS: Setting[int | None] = Setting(
    "NKK_LIVE_STREAMS", lambda text: numbers.number(0, 10_000)(text) if text else None, ""
)
NKK_TRUSTED_PROXIES = Setting("NKK_TRUSTED_PROXIES", addresses.networks, "")
NKK_WEBSITE_ORIGINS = Setting("NKK_WEBSITE_ORIGINS", urls.origins, "")
NKK_LIMIT_STORAGE = Setting("NKK_LIMIT_STORAGE", urls.store, "", secret=True)
NKK_FILES = Setting("NKK_FILES", paths.files, "var/files", secret=True)
NKK_FILES_KEYS = Setting("NKK_FILES_KEYS", keys.identity_keys, secret=True, hint=KEYS_HINT)
NKK_FILE_MB = Setting("NKK_FILE_MB", numbers.number(1, 10_000), "25")
NKK_FILES_MB = Setting("NKK_FILES_MB", numbers.number(1, 100_000), "100")
NKK_FILES_MOST = Setting("NKK_FILES_MOST", numbers.number(1, 100), "10")
NKK_UPLOADS_MB = Setting("NKK_UPLOADS_MB", numbers.number(1, 1_000_000), "300")
NKK_FILES_SPARE_MB = Setting("NKK_FILES_SPARE_MB", numbers.number(0, 10_000_000), "500")
NKK_UPLOAD_HOURS = Setting("NKK_UPLOAD_HOURS", numbers.number(1, 720), "24")
NKK_UPLOAD_THREADS: Setting[int | None] = Setting(
    "NKK_UPLOAD_THREADS", lambda text: numbers.number(1, 10_000)(text) if text else None, ""
)
NKK_UPLOAD_MB_PER_SECOND = Setting("NKK_UPLOAD_MB_PER_SECOND", numbers.number(2, 10_000), "8")
NKK_CLAMD = Setting("NKK_CLAMD", addresses.clamd, "")
NKK_TEMPLATES = Setting("NKK_TEMPLATES", paths.folder, "")
LIMITS = {
    name: Setting(f"NKK_LIMIT_{name}", numbers.limit, usual)
    for name, usual in {
        "REGISTRATION": "100/hour",
        "LOGIN": "100/minute",
        "RESET": "10/hour",
        "SUBMISSION": "60/hour",
        "DOCUMENTS": "60/minute",
        "WEBSITE": "600/hour",
        "UPLOADS": "200/hour",
    }.items()
}

NKK_WEBHOOKS_KEYS = Setting("NKK_WEBHOOKS_KEYS", keys.identity_keys, secret=True, hint=KEYS_HINT)
NKK_WEBHOOKS_ALLOWED = Setting("NKK_WEBHOOKS_ALLOWED", addresses.hosts, "")
NKK_WEBHOOKS_CA = Setting("NKK_WEBHOOKS_CA", paths.certificates, "")

TOOLS: tuple[Setting[Any], ...] = (
    NKK_TOOLS_CERTIFICATE,
    NKK_TOOLS_KEY,
    NKK_TOOLS_ADDRESS,
    NKK_TOOLS_PORT,
    NKK_TOOLS_HOST,
)
"""The settings of the broker's listener with TLS, for tools on other machines."""

OPERATING: tuple[Setting[Any], ...] = (NKK_BROKER_API, NKK_TOOL_DAYS, NKK_TOOL_EVENTS, *TOOLS)
"""The settings of commands, which no process of the service reads."""

STAGE: tuple[Setting[Any], ...] = (
    AMQP_URI,
    DATABASE_URL,
    NKK_TOKEN_PUBLIC_KEY,
    NKK_MAX_WORKERS,
    NKK_RETRY_DELAYS,
    NKK_OUTBOX_DAYS,
    NKK_QUESTION_DAYS,
)

OF: dict[str, tuple[Setting[Any], ...]] = {
    "intake": (
        *STAGE,
        NKK_TOKEN_SIGNING_KEY,
        NKK_IDENTITY_KEYS,
        NKK_LOGIN_INDEX_KEY,
        NKK_INTAKE_PRIVATE_KEY,
        NKK_NOTIFICATION_PUBLIC_KEY,
    ),
    "triage": STAGE,
    "opd_response": STAGE,
    "notification": (
        *STAGE,
        NKK_NOTIFICATION_PRIVATE_KEY,
        NKK_SITE_URL,
        NKK_SMTP_URL,
        NKK_MAIL_DIR,
        NKK_MAIL_FROM,
        NKK_LETTERS_AN_HOUR,
    ),
    "gateway": (
        AMQP_URI,
        NKK_TOKEN_PUBLIC_KEY,
        NKK_INTAKE_PUBLIC_KEY,
        NKK_SITE_KEY,
        NKK_SITE_URL,
        NKK_BIND,
        NKK_RPC_TIMEOUT,
        NKK_GATEWAY_WORKERS,
        NKK_GATEWAY_THREADS,
        NKK_GATEWAY_CONNECTIONS,
        NKK_LIVE_STREAMS,
        NKK_TRUSTED_PROXIES,
        NKK_WEBSITE_ORIGINS,
        NKK_LIMIT_STORAGE,
        NKK_TEMPLATES,
        NKK_FILES,
        NKK_FILES_KEYS,
        NKK_FILE_MB,
        NKK_FILES_MB,
        NKK_FILES_MOST,
        NKK_UPLOADS_MB,
        NKK_FILES_SPARE_MB,
        NKK_UPLOAD_HOURS,
        NKK_UPLOAD_THREADS,
        NKK_UPLOAD_MB_PER_SECOND,
        NKK_CLAMD,
        *LIMITS.values(),
    ),
    "webhooks": (AMQP_URI, WEBHOOKS_DATABASE_URL, NKK_WEBHOOKS_KEYS, NKK_WEBHOOKS_ALLOWED, NKK_WEBHOOKS_CA),
}
"""The settings of each process."""
