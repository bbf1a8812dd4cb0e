"""The files of an application: their store, their uploads and the checks of this process."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask

from gateway.files.checking import Checker, Scanner
from gateway.files.inspection import inspect
from gateway.files.pace import Pace
from gateway.files.scanning import Verdict, scan
from gateway.files.sealing import ring_of
from gateway.files.slots import Places, Slots
from gateway.files.stores import Store
from gateway.files.stores.directory import Directory
from gateway.files.uploads import MB, Limits, Uploads
from nkk import settings
from nkk.settings.addresses import Clamd
from nkk.settings.paths import Bucket

DEFAULTS: Mapping[str, Any] = {
    "FILES": Path("var/files"),
    "FILES_KEYS": [],
    "FILE_LIMITS": Limits(),
    "UPLOAD_THREADS": 4,
    "UPLOAD_RATE": 8 * MB,
    "CLAMD": None,
}


def from_environment() -> dict[str, Any]:
    """Return the settings of files."""
    threads = settings.NKK_UPLOAD_THREADS.get()
    return {
        "FILES": settings.NKK_FILES.get(),
        "FILES_KEYS": settings.NKK_FILES_KEYS.get(),
        "FILE_LIMITS": Limits(
            settings.NKK_FILE_MB.get() * MB,
            settings.NKK_FILES_MB.get() * MB,
            settings.NKK_FILES_MOST.get(),
            settings.NKK_UPLOAD_HOURS.get(),
            settings.NKK_UPLOADS_MB.get() * MB,
            settings.NKK_FILES_SPARE_MB.get() * MB,
        ),
        # Three quarters of the threads are kept for requests that do not wait for their bodies.
        "UPLOAD_THREADS": max(1, settings.NKK_GATEWAY_THREADS.get() // 4) if threads is None else threads,
        "UPLOAD_RATE": settings.NKK_UPLOAD_MB_PER_SECOND.get() * MB,
        "CLAMD": settings.NKK_CLAMD.get(),
    }


def set_up(app: Flask) -> None:
    """Give `app` its uploads, which are checked in the background once its `checker` is started."""
    coming, checked = (Pace(app.config["UPLOAD_RATE"]).keep for _ in range(2))
    store, ring = store_at(app.config["FILES"]), ring_of(app.config["FILES_KEYS"])
    uploads = Uploads(store, ring, app.config["FILE_LIMITS"], pace=coming)
    app.extensions["uploads"] = uploads
    app.extensions["checker"] = Checker(uploads, inspect, scanner_at(app.config["CLAMD"]), pace=checked)
    app.extensions["upload_slots"] = Slots(app.config["UPLOAD_THREADS"])
    app.extensions["small_slots"] = Slots(max(2, app.config["UPLOAD_THREADS"] // 2))
    app.extensions["check_places"] = Places(app.config["UPLOAD_THREADS"])
    app.extensions["field_slots"] = Slots(max(1, app.config["UPLOAD_THREADS"] // 2))


def scanner_at(clamd: Clamd | None) -> Scanner | None:
    """Return what scans at `clamd`, or None without one."""
    return None if clamd is None else lambda content: scan(content, clamd) is Verdict.CLEAN


def store_at(place: Path | Bucket) -> Store:
    """Return the store at `place`."""
    if isinstance(place, Bucket):
        # Loaded only where it is used, because it takes some MB of memory.
        from gateway.files.stores.bucket import BucketStore

        return BucketStore(place)
    return Directory(place)
