"""What letters say beside their fixed text: never what a complaint is about, nor who reported.

Nothing that people wrote stands in them but user names, which are plain letters: no sign turns what is around it.
"""

from datetime import datetime
from typing import Any

from nkk.sop.indonesian import written_instant, written_minutes
from nkk.sop.steps import STEPS


def words_of(row: Any, site: str) -> dict[str, str]:
    """Those of a letter about a complaint: ticket, site, and where they apply step, minutes, due and service_due."""
    words = {"ticket": row.ticket, "site": site}
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
    """Those of a letter about an account: its page."""
    return {"site": site, "page": f"{site.rstrip('/')}/akun"}


def words_of_code(code: str, username: str | None, expires_at: datetime, site: str) -> dict[str, str]:
    """Those of a letter with a code: whose it is (versions before did not tell), the code, the page that takes it,
    until when."""
    page = f"{site.rstrip('/')}/atur-ulang-sandi"
    # Behind the #: what stands there is sent to no server, and so into no log and no Referer.
    return {
        "site": site,
        "code": code,
        "username": username or "–",
        "page": page,
        "link": f"{page}#{code}",
        "until": written_instant(expires_at),
    }
