"""What a tool connects with: the URI of its broker user, and the authority that signed the broker's certificate."""

import re
import ssl
from pathlib import Path
from urllib.parse import unquote, urlsplit

from nkk.exchanges import TOOL_NAME, tool_user


class SubscriptionError(ValueError):
    """A subscription that cannot be; the message says why and what to do."""


def tool_of(uri: str) -> str | None:
    """Return the name of the tool whose credential is in `uri`, or None where its user is not a tool's."""
    user = unquote(urlsplit(uri).username or "")
    tool = user.removeprefix(tool_user(""))
    return tool if user != tool and re.fullmatch(TOOL_NAME, tool) else None


def check_authority(path: str | None) -> None:
    """Raise SubscriptionError unless `path` is None or a file of certificates in PEM."""
    if path is None:
        return
    try:
        ssl.create_default_context(cadata=Path(path).read_text("ascii"))
    except (OSError, ValueError) as error:
        raise SubscriptionError(f"{path} is no file of certificates in PEM ({type(error).__name__})") from None


def untrusted(error: BaseException) -> str:
    """Return a sentence about TLS that did not come about; "" where `error` is about something else.

    The credential has not been sent then.
    """
    if isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
        return "what answers at this port does not speak TLS: take the port of the listener with TLS, or amqp:// for amqps://"
    if not isinstance(error, ssl.SSLCertVerificationError):
        return ""
    return (
        f"the broker's certificate is not accepted: {error.verify_message}. The certificate of the authority that "
        "signed it is named by NKK_TOOL_CA, or `ca` in Python; the host in the URI is one that the certificate names"
    )
