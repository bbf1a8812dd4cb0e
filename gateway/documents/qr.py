"""The QR code of a complaint's tracking page."""

import io

import segno

PIXELS_PER_MODULE = 8
QUIET_ZONE = 4
"""The white modules around the code that ISO/IEC 18004 requires."""


def png(url: str) -> bytes:
    """Return `url` as a black and white PNG. Error correction M tolerates damage of about 15 %, as by a stamp."""
    out = io.BytesIO()
    segno.make_qr(url, error="m").save(out, kind="png", scale=PIXELS_PER_MODULE, border=QUIET_ZONE)
    return out.getvalue()
