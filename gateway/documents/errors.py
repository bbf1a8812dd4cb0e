"""The errors of making a document. Their sentences contain nothing of its content, because they reach logs."""

from collections.abc import Iterable


class UnknownKindError(ValueError):
    """The procedure has no document of this kind."""

    def __init__(self, kind: object, kinds: Iterable[str]) -> None:
        super().__init__(f"There is no document {kind!r}; there are: {', '.join(kinds)}.")


class UnknownFormatError(ValueError):
    """Documents of this kind are not made in this format."""

    def __init__(self, kind: str, fmt: object, formats: tuple[str, ...]) -> None:
        super().__init__(f"{kind} is not made as {fmt!r}; it is made as: {', '.join(formats)}.")


class ContentError(ValueError):
    """The content does not match the contract. The sentence names the key and never its value."""


class TemplateError(Exception):
    """A template cannot be used. `template` is its file name, `what` the fault."""

    def __init__(self, template: str, what: str) -> None:
        super().__init__(f"{template}: {what}")
        self.template = template
        self.what = what

    def __reduce__(self) -> tuple:
        return type(self), (self.template, self.what)


class BrokenTemplateError(TemplateError):
    """The template cannot be read or filled: it is no DOCX, or has a broken tag or a name that its document lacks."""


class UnprintableTemplateError(TemplateError):
    """The template contains something that the PDF cannot show."""


class RenderingFailedError(Exception):
    """The child process made no document. The sentence gives the reason without any of the content."""


class RenderingTooSlowError(Exception):
    """The document was not made within its time, which includes the wait for a turn."""
