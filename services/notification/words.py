"""The variable words of letters. They never say what a complaint is about or who reported.

Of all that people enter they contain only user names, which are plain letters without characters that change the
direction of text.
"""

from datetime import datetime
from typing import Any

from nkk.sop.indonesian import written_instant, written_minutes
from nkk.sop.steps import STEPS, Channel


def words_of(row: Any, site: str) -> dict[str, str]:
    """Return the words of a letter about a complaint: ticket, site, and where known step, minutes, due, service_due.

    A reporter whose complaint a website or an operator entered is also told the page to enter the access code.
    """
    words = {"ticket": row.ticket, "site": site.rstrip("/")}
    if row.team is None and (row.website is not None or row.channel != Channel.WEB):
        words["code_page"] = f"{site.rstrip('/')}/akun/kode"
    if row.service_due_at is not None:
        words["service_due"] = written_instant(row.service_due_at)
    if row.step is not None:
        step = STEPS[row.step - 1]
        words |= {
            "step": f"{step.number} ({step.activity})",
            "minutes": written_minutes(step.minutes),
            "due": written_instant(row.due_at),
        }
    return words


def words_of_account(site: str) -> dict[str, str]:
    """Return the words of a letter about an account: the site, and the account's page."""
    return {"site": site, "page": f"{site.rstrip('/')}/akun"}


def words_of_code(code: str, username: str | None, expires_at: datetime, site: str) -> dict[str, str]:
    """Return the words of a letter with a code: the code, its user name, the page to enter it, and its expiry.

    `username` is None where intake is of an earlier version.
    """
    page = f"{site.rstrip('/')}/atur-ulang-sandi"
    # The code is in the fragment, which browsers do not send: it gets into no server log and no Referer.
    return {
        "site": site,
        "code": code,
        "username": username or "–",
        "page": page,
        "link": f"{page}#{code}",
        "until": written_instant(expires_at),
    }
