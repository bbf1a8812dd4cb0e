"""intake as it is, but for passwords whose hashes cost next to nothing: tests log in thousands of times."""

from services.intake import identity
from services.intake.service import IntakeService

__all__ = ["IntakeService"]

identity.ARGON2.update(time_cost=1, memory_cost=8)
