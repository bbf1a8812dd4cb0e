"""Files recognised, rid of hidden data and previewed, in a child process that has limits and none of our secrets."""

from gateway.files.errors import InspectionUnavailableError
from gateway.files.inspection.process import Inspected, inspect

__all__ = ["Inspected", "InspectionUnavailableError", "inspect"]
