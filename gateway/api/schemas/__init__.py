"""The shapes of the API. What a value means is each stage's to judge; here it must be of the right type and size."""

from gateway.api.schemas.accounts import (
    DEVICE_HEADERS,
    AccessToken,
    Contact,
    ContactChange,
    Credentials,
    KnownDevice,
    PasswordChange,
    Registered,
    Registration,
    Renewal,
    ResetAsked,
    ResetCompletion,
    ResetRequest,
    Session,
)
from gateway.api.schemas.admin import (
    Catalogue,
    CatalogueCategory,
    CategoryHead,
    CategoryRow,
    NewPassword,
    NewStaff,
    Staff,
    StaffIds,
    StaffListing,
    StaffNames,
    TeamAddress,
    Teams,
)
from gateway.api.schemas.calendar import (
    CalendarListed,
    CalendarVersion,
    CalendarVersions,
    NationalDays,
    NewCalendar,
    OwnDay,
    Year,
)
from gateway.api.schemas.complaints import (
    Answer,
    Approval,
    Classification,
    Complaint,
    ComplaintForm,
    Document,
    IdempotencyKey,
    Receipt,
    Reporter,
    Standing,
    Timeline,
    TimelineEntry,
    Undelivered,
)
from gateway.api.schemas.desks import (
    Claimed,
    Claiming,
    Listing,
    UndeliveredLetters,
    Worklist,
)
from gateway.api.schemas.lists import (
    Categories,
    Category,
    Figures,
    Opds,
    Stretch,
    SubCategory,
)
from gateway.api.schemas.parts import (
    Claim,
    Flag,
    Page,
    Problem,
    Text,
)
from gateway.api.schemas.reports import (
    Counted,
    Durations,
    Month,
    OpdTimes,
    OpenCase,
    Recapitulation,
    ServiceTimes,
    StepTimes,
    Times,
)

__all__ = [
    "DEVICE_HEADERS", "AccessToken", "Answer", "Approval", "CalendarListed", "CalendarVersion",
    "CalendarVersions", "Catalogue", "CatalogueCategory", "Categories", "Category", "CategoryHead", "CategoryRow",
    "Claim", "Claimed", "Claiming", "Classification", "Complaint", "ComplaintForm", "Contact", "ContactChange",
    "Counted", "Credentials", "Document", "Durations", "Figures", "Flag", "IdempotencyKey", "KnownDevice", "Listing",
    "Month", "NationalDays", "NewCalendar", "NewPassword", "NewStaff", "OpdTimes", "Opds", "OpenCase", "OwnDay",
    "Page", "PasswordChange", "Problem", "Recapitulation", "Receipt", "Registered", "Registration", "Renewal",
    "Reporter", "ResetAsked", "ResetCompletion", "ResetRequest", "ServiceTimes", "Session", "Staff", "StaffIds",
    "StaffListing", "StaffNames", "Standing", "StepTimes", "Stretch", "SubCategory", "TeamAddress", "Teams",
    "Text", "Timeline", "TimelineEntry", "Times", "Undelivered", "UndeliveredLetters", "Worklist", "Year",
]
