"""Parsers of folders and files, and of the store where uploads lie."""

import os
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, unquote

from nkk.settings.urls import url


@dataclass(frozen=True)
class Bucket:
    """A bucket of an S3-compatible store. Its `secret` is shown nowhere."""

    endpoint: str
    name: str
    prefix: str
    key: str
    secret: str = field(repr=False)
    region: str


def files(written: str) -> Path | Bucket:
    """Parse where files lie: a folder, or `s3://key:secret@host:port/bucket/prefix?region=…&tls=0`."""
    if "://" not in written:
        return Path(written)
    how = "Write a folder, or s3://key:secret@host/bucket/prefix, with ?region=… and ?tls=0 where they are needed."
    parts = url(written, "s3")
    asked = parse_qs(parts.query, keep_blank_values=True)
    if not set(asked) <= {"region", "tls"} or any(len(values) > 1 for values in asked.values()) or parts.fragment:
        raise ValueError(f"has parts that mean nothing here. {how}")
    if asked.get("tls", ["1"])[0] not in ("0", "1") or "" in asked.get("region", ["x"]):
        raise ValueError(f"has a tls that is neither 0 nor 1, or an empty region. {how}")
    key, secret = unquote(parts.username or ""), unquote(parts.password or "")
    name, _, prefix = parts.path.removeprefix("/").partition("/")
    if not key or not secret or not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name):
        raise ValueError(f"has no key with its secret, or names no bucket. {how}")
    if not re.fullmatch(r"([A-Za-z0-9_.-]+/?)*", prefix):
        raise ValueError(f"has a prefix with other signs than letters, digits, - . _ and /. {how}")
    scheme = "http" if asked.get("tls") == ["0"] else "https"
    endpoint = f"{scheme}://{parts.netloc.rpartition('@')[2]}"
    return Bucket(endpoint, name, prefix.strip("/"), key, secret, asked.get("region", ["us-east-1"])[0])


def folder(written: str) -> str:
    """Parse the path of an existing folder; it may be empty."""
    if written and not Path(written).is_dir():
        raise ValueError("is not a folder that this process can read.")
    return written


def file(written: str) -> str:
    """Parse the path of an existing file that can be read; it may be empty."""
    if written and not (Path(written).is_file() and os.access(written, os.R_OK)):
        raise ValueError("is no file that can be read here.")
    return written


def certificates(written: str) -> str:
    """Parse the path of a file of certificates in PEM; it may be empty."""
    if written:
        try:
            ssl.create_default_context(cafile=written)
        except OSError:  # which SSLError is too
            raise ValueError("is no file of certificates in PEM that can be read here.") from None
    return written
