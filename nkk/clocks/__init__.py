"""What every stage keeps time with: the calendar's versions, the clocks of what stands at its steps, their alarms.

`nkk.clocks.stage` holds what Nameko runs; the rest knows nothing of it.
"""

from nkk.clocks.calendars import Calendars, KeptCalendars, calendars_table
from nkk.clocks.work import ClockedWork, alarm_index, clock_columns, to_tell

__all__ = ["Calendars", "ClockedWork", "KeptCalendars", "alarm_index", "calendars_table", "clock_columns", "to_tell"]
