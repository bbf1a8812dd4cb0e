"""What every stage keeps time with: the calendar's versions, the clocks of what stands at its steps, their alarms."""

from nkk.clocks.calendars import Calendars, CalendarsProvider, KeptCalendars, calendars_table
from nkk.clocks.stage import HearsCalendars, TellsAlarms
from nkk.clocks.work import ClockedWork, alarm_index, clock_columns, to_tell

__all__ = ["Calendars", "CalendarsProvider", "ClockedWork", "HearsCalendars", "KeptCalendars", "TellsAlarms",
           "alarm_index", "calendars_table", "clock_columns", "to_tell"]
