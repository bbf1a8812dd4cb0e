"""The book of files: what a receipt lists is in the store, whole, at each desk of the report, and nowhere else.

Each opening by the staff is one row of a stage's record, and a reporter gets what the operator chose.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from gateway.files.refusals import FileHeldBack, FileLost
from gateway.files.sealing import ring_of
from gateway.files.stores.directory import Directory
from gateway.files.uploads import Uploads
from nkk.contracts import STAGES
from nkk.sop.files import round_of
from tests.chaos.accountant.breach import Breach
from tests.chaos.accountant.pages import Pages
from tests.chaos.record import Record

Listed = dict[str, dict[str, Any]]
DESKS = ("triage cases", "OPD cases")


def stored(folder: Path, keys: list[str], pages: Pages) -> dict[str, str]:
    """Return the SHA-256 of every attached file that is whole in the store at `folder`, by its id."""
    uploads, found = Uploads(Directory(folder), ring_of(keys)), {}
    for id in _attached(pages):
        digest = sha256()
        with suppress(FileLost, FileHeldBack):
            for chunk in uploads.open(id).chunks():
                digest.update(chunk)
            found[id] = digest.hexdigest()
    return found


def breaches(pages: Pages, record: Record, whole: Mapping[str, str]) -> Iterator[Breach]:
    """Yield the files that are lost, changed, missing at a desk, or in a report that they were not sent for."""
    for id, tickets in _attached(pages).items():
        if len(tickets) > 1:
            yield Breach("files", ", ".join(tickets), f"all have the file {id}")
    for ticket in dict.fromkeys(ticket for table in ("complaints", *DESKS) for ticket in pages.tickets(table)):
        files = _listed(pages, "complaints", ticket)
        answers = _listed(pages, "OPD cases", ticket, "response_files")
        to_questions = _listed(pages, "questions", ticket)
        for number, file in (files | answers | to_questions).items():
            if whole.get(file["id"]) != file["sha256"]:
                yield Breach("files", ticket, f"file {number} is not whole in the store")
        for number, file in files.items():
            if file["came_sha256"] in record.refused:
                yield Breach("files", ticket, f"file {number} was refused, and is attached")
            elif record.sent.get(file["came_sha256"]) not in (ticket, ""):
                yield Breach("files", ticket, f"file {number} was not sent for it")
        yield from _of_desks(pages, ticket, files, answers)
        yield from _of_answers(record, ticket, files | answers)
        yield from _of_reporters(record, ticket)
        yield from _of_openings(pages, record, ticket)


def _of_desks(pages: Pages, ticket: str, files: Listed, answers: Listed) -> Iterator[Breach]:
    for desk in DESKS:
        for column, known in (("files", files), ("response_files", answers)):
            if pages.rows(desk, ticket) and _digests(_listed(pages, desk, ticket, column)) != _digests(known):
                yield Breach("files", ticket, f"{desk} have other {column} than were attached")


def _of_answers(record: Record, ticket: str, files: Listed) -> Iterator[Breach]:
    shown = [(number, digest) for about, number, digest in record.shown if about == ticket]
    for number, digest in dict.fromkeys(shown):
        if files.get(number, {}).get("sha256") != digest:
            yield Breach("files", ticket, f"file {number} was shown as {digest[:16]}, and is not so")


def _of_reporters(record: Record, ticket: str) -> Iterator[Breach]:
    for asked in record.asked:
        if asked.ticket == ticket and asked.who.startswith("reporter") and asked.file and asked.status == 200:
            number = asked.file.partition("/")[0]
            if round_of(number) is not None and number not in record.chosen.get(ticket, set()):
                yield Breach("files", ticket, f"its reporter got file {number}, which the operator did not send")


def _of_openings(pages: Pages, record: Record, ticket: str) -> Iterator[Breach]:
    """Yield the openings by staff that are recorded less or more often than they were answered, or may have been."""
    answered, unknown = Counter[str](), Counter[str]()
    for asked in record.asked:
        if asked.ticket == ticket and asked.file and not asked.who.startswith("reporter"):
            role = asked.who if asked.who in ("operator", "main_team") else "opd_team"
            answered[f"{role} {asked.file}"] += asked.status == 200
            unknown[f"{role} {asked.file}"] += asked.status in (None, 503)
    kept = Counter[str]()
    for stage in STAGES:
        for row in pages.rows(f"{stage} openings", ticket):
            detail = json.loads(row["detail"])
            kept[f"{row['role']} {detail['file']}{'/preview' if detail['of'] == 'preview' else ''}"] += 1
    for what in answered | kept:
        if not answered[what] <= kept[what] <= answered[what] + unknown[what]:
            told = (
                f"{kept[what]} times recorded, {answered[what]} times answered and perhaps {unknown[what]} times more"
            )
            yield Breach("files", ticket, f"opening of {what}: {told}")


def _attached(pages: Pages) -> dict[str, Counter[str]]:
    """Return the ids of all attached files, each with the tickets that have it."""
    found: dict[str, Counter[str]] = {}
    for table, column in (("complaints", "files"), ("OPD cases", "response_files"), ("questions", "files")):
        for ticket in pages.tickets(table):
            for file in _listed(pages, table, ticket, column).values():
                found.setdefault(file["id"], Counter())[ticket] += 1
    return found


def _listed(pages: Pages, table: str, ticket: str, column: str = "files") -> Listed:
    return {file["number"]: file for row in pages.rows(table, ticket) for file in json.loads(row.get(column) or "[]")}


def _digests(files: Listed) -> dict[str, tuple[str, str]]:
    return {number: (file["id"], file["sha256"]) for number, file in files.items()}
