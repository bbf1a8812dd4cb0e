"""How making a document fails. No sentence carries what a document holds: these errors reach logs."""

from collections.abc import Iterable


class UnknownKindError(ValueError):
    """The procedure has no document of this kind."""

    def __init__(self, kind: object, kinds: Iterable[str]) -> None:
        super().__init__(f"There is no document {kind!r}; there are: {', '.join(kinds)}.")


class UnknownFormatError(ValueError):
    """This kind is not made in this format."""

    def __init__(self, kind: str, fmt: object, formats: tuple[str, ...]) -> None:
        super().__init__(f"{kind} is not made as {fmt!r}; it is made as: {', '.join(formats)}.")


class ContentError(ValueError):
    """The content is not what the contract says; the sentence names the key and never its value."""


class TemplateError(Exception):
    """A template cannot be used; `template` is its file's name, `what` the fault."""

    def __init__(self, template: str, what: str) -> None:
        super().__init__(f"{template}: {what}")
        self.template = template
        self.what = what

    def __reduce__(self) -> tuple:
        return type(self), (self.template, self.what)


class BrokenTemplateError(TemplateError):
    """The template cannot be read or filled: no DOCX, a broken tag, or a name its document does not have."""


class UnprintableTemplateError(TemplateError):
    """The template holds something that its PDF would lose."""


class RenderingFailedError(Exception):
    """The child process made no document; the sentence says why, without any of the content."""


class RenderingTooSlowError(Exception):
    """The document was not made in the time it was given, waiting for its turn included."""
