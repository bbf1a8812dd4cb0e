"""Intake with cheap password hashes, because tests log in thousands of times."""

from services.intake.hashing import ARGON2, Passwords, PasswordsProvider
from services.intake.service import IntakeService


class QuickPasswords(Passwords):
    argon2 = ARGON2 | {"time_cost": 1, "memory_cost": 8}


class QuickPasswordsProvider(PasswordsProvider):
    passwords_cls = QuickPasswords


class QuickIntake(IntakeService):
    passwords = QuickPasswordsProvider()
