"""Random calendars and instants for hypothesis, and a slow count of office time that checks every minute."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise

from hypothesis import strategies as st

from nkk.sop.clock import OFFICE_WEEK, WIB, Calendar, Day, Season, Week
from nkk.sop.text import one_line

FIRST, LAST = date(2026, 2, 16), date(2026, 4, 10)
"""The dates that random calendars change."""

MINUTE = timedelta(minutes=1)


def wib(text: str) -> datetime:
    """Return an instant given in WIB."""
    return datetime.fromisoformat(text).replace(tzinfo=WIB)


def at(minute: int) -> time:
    """Return the time of day `minute` minutes after midnight."""
    return time(minute // 60, minute % 60)


@st.composite
def open_spans(draw):
    """Draw the open spans of a day: none, one or several, some of them adjacent."""
    points = draw(st.lists(st.integers(0, 24 * 60 - 1), max_size=6, unique=True).map(sorted))
    return tuple((at(opens), at(closes)) for opens, closes in pairwise(points) if draw(st.booleans()))


names = st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=20).map(one_line).filter(bool)
days_between = st.dates(FIRST, LAST)
closures = st.builds(Day, names)
own_days = closures | st.builds(Day, names, open_spans())


def minutes_of(week: Week) -> int:
    """Return the office minutes of a week."""
    return sum(
        (closes.hour - opens.hour) * 60 + closes.minute - opens.minute for spans in week for opens, closes in spans
    )


weeks = st.tuples(*[open_spans()] * 7)
"""Any week, even one that never opens; the base week must have ten hours."""

base_weeks = st.just(OFFICE_WEEK) | weeks.filter(lambda week: minutes_of(week) >= 600)


@st.composite
def some_seasons(draw):
    """Draw up to two seasons without a shared date."""
    edges = sorted(draw(st.lists(days_between, max_size=4, unique=True)))
    return tuple(
        Season(draw(names), first, last, draw(weeks)) for first, last in zip(edges[::2], edges[1::2], strict=False)
    )


calendars = st.builds(
    Calendar, st.integers(0, 9), base_weeks, some_seasons(), st.dictionaries(days_between, own_days, max_size=12)
)

instants = st.datetimes(datetime(2026, 2, 20), datetime(2026, 4, 1)).map(lambda moment: moment.replace(tzinfo=WIB))
minutes = instants.map(lambda moment: moment.replace(second=0, microsecond=0))


def open_minutes(calendar: Calendar, day: date) -> list[bool]:
    """Return for each of a date's 1,440 minutes whether it is open, directly from the calendar's data."""
    if day in calendar.days:
        spans = calendar.days[day].spans
    else:
        week = calendar.week
        for season in calendar.seasons:
            if season.first <= day <= season.last:
                week = season.week
        spans = week[day.weekday()]
    open_, whole_day = [False] * 1440, range(1440)
    for opens, closes in spans:
        for minute in whole_day[_number(opens) : _number(closes)]:
            open_[minute] = True
    return open_


def open_at(calendar: Calendar, moment: datetime) -> bool:
    """Return whether the offices are open in the minute that begins at `moment`."""
    local = moment.astimezone(WIB)
    return open_minutes(calendar, local.date())[_number(local.time())]


def counted(calendar: Calendar, start: datetime, end: datetime) -> int:
    """Return the office minutes between two whole minutes."""
    start, end = start.astimezone(WIB), end.astimezone(WIB)
    days = [start.date() + timedelta(days=number) for number in range((end.date() - start.date()).days + 1)]
    every = [open_ for day in days for open_ in open_minutes(calendar, day)]
    return sum(every[_number(start.time()) : len(every) - 1440 + _number(end.time())])


def _number(moment: time) -> int:
    return moment.hour * 60 + moment.minute
