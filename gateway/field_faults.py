"""What the API says of a field's fault: one English sentence for each code of `nkk.sop.faults`."""

from collections.abc import Mapping
from typing import Any

SENTENCES = {
    "missing": "Missing data for required field.",
    "null": "Field may not be null.",
    "empty": "Write something here: it is empty.",
    "nothing-added": "Write something, or name files.",
    "unknown-field": "Unknown field.",
    "sent-twice": "Send this once.",
    "invalid": "Invalid value.",
    "not-a-string": "Not a valid string.",
    "not-a-boolean": "Not a valid boolean.",
    "not-a": "Not a valid {wanted}.",
    "not-an-object": "Invalid input type.",
    "not-nested": "Invalid type.",
    "no-match": "String does not match expected pattern.",
    "not-one-of": "Must be one of: {choices}.",
    "none-left": "At least one is needed: the last one cannot be deleted.",
    "too-many": "At most {most}.",
    "wrong-length": "Length must be between {least} and {most}.",
    "too-long": "Longer than maximum length {most}.",
    "out-of-range": "Must be greater than or equal to {least} and less than or equal to {most}.",
    "half-emoji": "Contains characters that are no text (half an emoji).",
    "no-text": "Contains characters that are no text.",
    "same-name": "The same name stands under {one} and {other}. Give each its own.",
    "no-key": "Small letters, digits and hyphens only.",
    "no-upload": "Not the id of an upload. It has 22 characters, and is the last segment of the upload's Location.",
    "no-ticket": "Not a ticket. It reads like NKK-2026-XXXX-XXXX.",
    "no-cursor": "Not a cursor of this list. Start again without one.",
    "no-idempotency-key": "1 to 200 visible ASCII characters, such as a UUID.",
    "no-month": "Write the month as 2026-03.",
    "month-to-come": "This month has not begun yet.",
    "wrong-years": "Between the years {least} and {most}.",
    "no-address": "Not a valid email address.",
    "one-address": "One address, without a name.",
    "hidden-sign": "A sign that nobody sees stands in this address: type it anew.",
    "address-not-plain": "Before the @ of an address our letters can go to stand plain letters (a to z), digits and "
    "signs.",
    "no-domain": "After the @ write a whole domain, such as example.id.",
    "superior-alone": "Give the team's own address as well: a superior is written to only beside the team.",
    "phone-empty": "Leave it out where there is no number.",
    "phone-with-words": "The number alone, without words and extensions.",
    "several-phones": "One number only.",
    "phone-too-short": "Too short: at least {least} digits, with the area code.",
    "phone-too-long": "Too long: at most {most} digits.",
    "no-phone": "Digits, with + in front where needed.",
    "no-username": "3 to 64 small letters, digits, dots, hyphens or underscores, beginning with a letter or digit.",
    "username-taken": "Taken. Choose another.",
    "either-name-or-address": "Give the user name or the e-mail address, not both.",
    "password-length": "{least} to {most} characters.",
    "password-too-plain": "Use at least {least} different characters.",
    "password-has-username": "Must not contain the user name.",
    "wrong-password": "Wrong.",
    "slowed-down": "Too many wrong passwords were given here. Try again after {at} WIB; the right one is not taken "
    "before.",
    "code-expired": "This code is no longer good.",
    "access-code-refused": "This code opens no account. Check all sixteen letters and digits; if you used it before, "
    "log in with the user name you chose then.",
    "number-length": "A {kind} has {digits} digits; this has {given}.",
    "number-not-digits": "A {kind} has {digits} digits and no other signs.",
    "nik-province": "This is no NIK: digits 1 and 2, the province, are 11 or more. Check each digit.",
    "nik-day": "This is no NIK: digits 7 and 8, the day of birth, are 01 to 31, or 41 to 71 for women.",
    "nik-month": "This is no NIK: digits 9 and 10, the month of birth, are 01 to 12.",
    "nik-date": "This is no NIK: the date of birth in digits 7 to 12 does not exist. Check each digit.",
    "nik-serial": "This is no NIK: digits 13 to 16, the serial number, are never 0000.",
    "nip-birth": "This is no NIP: the date of birth in digits 1 to 8 (year, month, day) does not exist. Check each "
    "digit.",
    "nip-appointment": "This is no NIP: the appointment in digits 9 to 14 (year, month) cannot be. Check each digit.",
    "nip-sex": "This is no NIP: digit 15 is 1 for men or 2 for women.",
    "nip-serial": "This is no NIP: digits 16 to 18, the serial number, are never 000.",
    "no-such-category": "Choose a category of the catalogue (GET /categories).",
    "no-such-sub-category": "Choose a sub-category of this category (GET /categories).",
    "no-such-case": "There is no such report at your desk. Check the ticket.",
    "no-such-colleague": "Give the user name of a colleague at a desk, or leave it out to step aside yourself.",
    "no-such-opd": "Choose an agency of the roster (GET /opds).",
    "opd-of-information": "Information goes to the operator: leave the OPD out.",
    "conflict-without-reason": "The person whom the report is about may sit in this team: say why it goes there all "
    "the same, or choose another agency.",
    "refusal-without-note": "Say why no more time is granted: the OPD team reads it.",
    "return-without-note": "Say what the response lacks: the OPD team works from it.",
    "team-without-opd": "An OPD team belongs to one OPD of the roster (GET /opds).",
    "opd-without-team": "Only an OPD team belongs to an OPD.",
    "not-on-roster": "Not on the roster (GET /opds): {opds}.",
    "half-a-row": "Fill in both the key and the name, or neither.",
    "key-twice": "This key stands in another row.",
    "no-calendar": "A calendar has week, seasons, days and national_years.",
    "calendar-lacks": "Missing: send the whole calendar, as GET /calendar gives it.",
    "not-of-a-calendar": "Not a part of a calendar.",
    "few-hours": "The office hours of an ordinary week add up to {hours}; at least {least} are needed.",
    "no-week": "Seven lists of open spans, Monday first; an empty list for a closed day.",
    "no-spans": 'Open spans are written [["07:30", "12:00"], ["13:00", "16:00"]]; [] means closed.',
    "no-span": 'An open span is written ["07:30", "12:00"].',
    "no-time": "Times are written HH:MM, such as 07:30.",
    "no-hours": "Office hours are written like 08.00-12.00, 13.00-16.00.",
    "spans-overlap": "The spans of a day go one after the other, none overlapping.",
    "span-backwards": "An office closes after it has opened, on the same day.",
    "many-seasons": "A list of at most {most} seasons.",
    "no-season": "A season has name, first, last and week.",
    "seasons-overlap": "Two seasons share a date: end one before the other begins.",
    "season-length": "A season ends on or after its first date and lasts at most {most} days.",
    "many-days": "At most {most} days, each under its date.",
    "no-day": "A day has name and spans; no spans mean closed.",
    "no-date": "Dates are written like 2026-03-19, within {first} to {last}.",
    "name-length": "Say in 1 to {most} characters what it is.",
    "no-years": "A list of years.",
    "kept-by-system": "The system keeps this list itself: leave it as GET /calendar gives it.",
    "joint-leave-years": "Add years of national_years whose joint leave is complete; those that the system has put in "
    "stay.",
    "no-day-chosen": "Choose at least one day.",
}


def sentences(fields: Any) -> Any:
    """Return `fields` with each fault replaced by its sentence.

    A fault from a stage of an earlier version is a sentence already. A code of a later version is shown as it is.
    """
    if isinstance(fields, Mapping):
        return {name: sentences(inner) for name, inner in fields.items()}
    return [_sentence(fault) for fault in fields] if isinstance(fields, list) else _sentence(fields)


def _sentence(fault: Any) -> str:
    if not isinstance(fault, Mapping):
        return str(fault)
    written = {name: ", ".join(value) if isinstance(value, list) else value for name, value in fault.items()}
    return SENTENCES.get(fault["code"], "Not accepted: {code}.").format_map(written)


def codes(fields: Any) -> Any:
    """Return `fields` with only the faults that have a code, and only the fields that have such faults."""
    if isinstance(fields, Mapping):
        found = {name: codes(inner) for name, inner in fields.items()}
        return {name: inner for name, inner in found.items() if inner}
    return [fault for fault in fields if isinstance(fault, Mapping)] if isinstance(fields, list) else []
