"""A breach: what the accountant reports about a book that does not balance."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Breach:
    """`book` names the book, `about` the ticket (or event, or request) at fault, and `says` what is wrong."""

    book: str
    about: str
    says: str

    def __str__(self) -> str:
        return f"{self.book}: {self.about}: {self.says}"
