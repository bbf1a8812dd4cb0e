"""The QR code that leads to a complaint's tracking page."""

import io

import segno

PIXELS_PER_MODULE = 8
QUIET_ZONE = 4
"""Modules of white around the code that ISO/IEC 18004 asks for."""


def png(url: str) -> bytes:
    """`url` as a black and white PNG. Error correction M bears a stamp or a fold over about a seventh of the code."""
    out = io.BytesIO()
    segno.make_qr(url, error="m").save(out, kind="png", scale=PIXELS_PER_MODULE, border=QUIET_ZONE)
    return out.getvalue()
