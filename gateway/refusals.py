"""What the API says of a refusal: one English sentence for each code."""

from collections.abc import Mapping
from typing import Any

SENTENCES = {
    "invalid-input": "Some fields need correcting.",
    "no-instant": "An instant is written 2026-03-02T01:30:00Z, between 2000 and 2199.",
    "not-authenticated": "Log in first.",
    "invalid-token": "This access token is not valid. Log in again.",
    "expired-token": "Your log-in has expired. Renew it or log in again.",
    "session-ended": "This session has ended. Log in again.",
    "wrong-credentials": "User name or password is wrong, or the account is closed. Check both; after too many wrong "
    "ones you are asked to wait.",
    "not-your-role": "Your role does not do this.",
    "role-of-operation": "This is for {needed}; you are logged in as {role}.",
    "role-of-document": "This document is not for {role}.",
    "unknown-ticket": "There is no complaint with this ticket. Check it and try again.",
    "unknown-account": "There is no staff account of this user name. Check it.",
    "unknown-website": "There is no website of this name. `nkk websites list` names them.",
    "unknown-calendar": "There is no such version of the calendar. GET /calendar/versions lists them.",
    "ordinary-day": "This date is an ordinary day of the calendar already; nothing changed.",
    "claimed-by-colleague": "A colleague is on this complaint; nothing changed. Take it over if that is what you mean "
    "to do.",
    "not-your-step": "This does not stand at your desk; nothing changed. Reload your list.",
    "awaits-no-response": "This case awaits no response.",
    "not-to-be-answered-yet": "This complaint has not come to be answered yet; nothing changed.",
    "no-response-yet": "There is no response to approve or return yet; nothing changed.",
    "not-answered-yet": "There is no answer to confirm yet; nothing changed.",
    "already-done": "This was done before; nothing changed.",
    "already-handed-over": "This report was handed over before; nothing changed. Reload your list.",
    "already-classified": "This report was classified before; nothing changed. Reload your list.",
    "already-responded": "Your team has responded to this complaint before; nothing changed. Reload your list.",
    "already-approved": "This was handed to the operator before; nothing changed. Reload your list.",
    "already-answered": "The answer was sent before; nothing changed. Reload your list.",
    "already-confirmed": "You confirmed receipt before; nothing changed.",
    "withdrawn": "The reporter has withdrawn this report; nothing changed. Reload your list.",
    "abandoned": "A desk closed this report as not completed, because its question to the reporter was not answered; "
    "nothing changed. Reload your list.",
    "responded-before": "An agency responded to this report before, so that it is not closed without an answer; "
    "nothing changed. Respond with what there is, or decline it, and the main team decides.",
    "nothing-lapsed": "The reporter was not asked at this step, has answered, or can still answer; nothing changed.",
    "already-withdrawn": "You withdrew this report before; nothing changed.",
    "too-late-to-withdraw": "The answer was sent before; nothing changed. Read it: you can object to it while `acts` "
    "has `object`.",
    "already-closed": "This complaint is closed; nothing changed. If the answer does not satisfy you, object to it "
    "while `acts` has `object`.",
    "not-with-opd": "This complaint is not with an OPD that has still to respond; nothing changed. Reload it.",
    "already-asked": "Your team has asked for more time before, which is possible once each time that the complaint is "
    "forwarded; nothing changed.",
    "no-request": "The OPD team has not asked for more time, or has no use for it now; nothing changed. Reload it.",
    "already-gathered": "This OPD has responded to the complaint, or is to respond; nothing changed. Choose another.",
    "gathered-enough": "As many OPDs have responded to this complaint as can; nothing changed. Approve what there is.",
    "nothing-gathered": "No response to this complaint was kept; nothing changed. Classify it.",
    "already-joined": "This report was joined before, with the one in `first`; nothing changed. Part it first.",
    "not-joined": "This report does not rest with another; nothing changed. Reload it.",
    "cannot-join": "These two reports cannot be joined; nothing changed.",
    "join-with-itself": "A report cannot be joined with itself; nothing changed.",
    "first-is-joined": "That report is itself joined with the one in `first`; nothing changed. Join it with that one.",
    "first-was-withdrawn": "That report was withdrawn; nothing changed. Join this one with another.",
    "first-was-abandoned": "That report was closed as not completed; nothing changed. Join this one with another.",
    "first-is-decided": "That report was handed to the operator already; nothing changed. Classify this one alone.",
    "others-are-joined": "Other reports rest with this one; nothing changed. Join the other report with this one.",
    "answered-before": "This report was answered once and objected to; nothing changed. Classify it alone.",
    "conflict-unlike-first": "Only of this report is it said that the accused may sit in the agency's own "
    "team; nothing changed. Join the other report with this one, or classify this one alone.",
    "nothing-to-keep": "This report was not withdrawn, or not while it was at your desk; nothing changed. Reload it.",
    "no-longer-here": "This complaint is no longer with your team: it was declined, or taken back; nothing changed.",
    "no-information": "This report was classified as a complaint already, on its own; nothing changed.",
    "not-closed-yet": "The answer can be rated once it was received; nothing changed. Confirm the receipt first.",
    "already-rated": "You rated this answer before; nothing changed.",
    "already-objected": "You objected before, which is possible once; nothing changed. For another matter, submit a "
    "new complaint.",
    "question-open": "The reporter has been asked before and has not answered yet; nothing changed.",
    "reporter-unreachable": (
        "The reporter has no e-mail address and has not opened their account, so that no question reaches them; "
        "nothing changed. An operator can telephone them."
    ),
    "without-reporter": "The reporter withdrew this report, which goes on without them: they are asked no more.",
    "unknown-question": "This complaint has no question of this number.",
    "question-answered-before": "You answered this question before; nothing changed.",
    "question-has-lapsed": "The time for an answer is over; nothing changed.",
    "question-overtaken": "Your complaint has gone on meanwhile, or ended: the answer is needed no more; "
    "nothing changed.",
    "objection-too-late": "Ten working days have passed since the answer was sent; nothing changed. Submit a new "
    "complaint.",
    "paper-entered-before": "This letter or slip was entered before, as the complaint in `ticket`; nothing changed.",
    "account-opened-before": "The person has opened their account with the code; nothing changed. They log in with the "
    "user name and password that they chose.",
    "not-entered-by-staff": "No operator entered this complaint, so it has no access code that an operator renews.",
    "username-taken": "This user name is taken. Choose another.",
    "reset-expired": "This code is no longer good: it works once, within an hour, and only the newest one sent. Check "
    "that you copied all of it, or ask for a new one (POST /password-resets).",
    "access-code-refused": "This code opens no account: it works once, within 90 days. Check that you copied all "
    "of it. If you used it before, log in with the user name you chose; otherwise ask the service, with your ticket.",
    "wrong-password": "Nothing was changed: the current password is wrong. Check it; after too many wrong ones you "
    "are asked to wait.",
    "slowed-down": "Too many wrong passwords were given here. Try again after {at} WIB; the right one is not taken "
    "before. A device that logged in before is not slowed down by others.",
    "last-admin": "This is the last admin's account that is open; nothing changed. Add another admin first, then "
    "disable this one.",
    "calendar-changed-meanwhile": "Somebody has changed the calendar meanwhile; nothing of yours was kept. Read it "
    "again (GET /calendar) and make your change to that version.",
    "identity-withheld": "The reporter asked for confidentiality: who they are is shown to nobody.",
    "idempotency-key-reused": "This Idempotency-Key was used for another report. Use a fresh one for each report.",
    "unknown-file": "This complaint has no such file that you may open. The complaint lists them.",
    "file-attached-before": "A file was attached before, to another report or response; nothing was attached now. "
    "Send it as a new upload.",
    "report-full": "This report would have more than {most} files; nothing was added.",
    "supplement-too-late": "Ten working days have passed since this complaint was closed: it takes nothing more. "
    "Submit a new complaint.",
    "added-too-often": "At most {most} additions can be made to a report; nothing was added. Submit a new complaint.",
    "no-document-yet": "This document does not exist yet: the step that makes it is not done.",
    "unknown-upload": "There is no upload with this id. What is not attached within a day is removed: send it again.",
    "upload-header-invalid": "The header {header} is missing, or cannot be read.",
    "upload-too-long": "A file has at most {most} MB.",
    "upload-overrun": "These are more bytes than this upload was said to have. Ask where it stands (HEAD) and send the "
    "rest.",
    "wrong-offset": "This upload stands at the byte {offset}. Go on from there.",
    "upload-length-changed": "This upload was begun with another length. Begin a new one.",
    "upload-in-use": "Bytes of this upload are arriving by another connection. Try again in a moment.",
    "upload-not-ready": "The upload {id} is not whole yet. Send the rest of it, or leave it out.",
    "upload-being-checked": "The upload {id} is still being checked. Try again in a moment.",
    "upload-attached": "This file is attached to a report or a response: it is evidence, and stays.",
    "upload-refused": "The file of the upload {id} was refused ({refusal}). Leave it out, or send another.",
    "too-many-files": "At most {most} files go together.",
    "files-too-long": "The files have more than {most} MB together. Leave some out.",
    "uploads-full": "Your uploads that are attached to nothing would have more than {most} MB together. Attach or "
    "remove some (DELETE), or wait: after a day they are removed.",
    "file-held-back": "This file is still being scanned. Until then it cannot be opened.",
    "file-infected": "A virus was found in this file. It cannot be opened.",
    "file-lost": "This file is not in the store any more, or was changed there. Tell the administrator X-Request-ID.",
    "being-prepared": "This complaint was accepted; what you ask for is being prepared. Try again in a moment.",
}


def sentence(code: str, details: Mapping[str, Any]) -> str:
    """Return the sentence of the refusal `code`, filled with its `details`.

    A code from a stage of an earlier version is a sentence already. A code of a later version is shown as it is.
    """
    if " " in code:
        return code
    written = {name: " or ".join(value) if isinstance(value, list) else value for name, value in details.items()}
    return SENTENCES.get(code, f"Refused: {code}.").format_map(written)
