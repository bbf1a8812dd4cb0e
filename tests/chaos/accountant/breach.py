"""What the accountant says of a book that does not balance."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Breach:
    """`book` is which of the books, `about` the ticket (or event, or request) at fault, `says` what is wrong."""

    book: str
    about: str
    says: str

    def __str__(self) -> str:
        return f"{self.book}: {self.about}: {self.says}"
