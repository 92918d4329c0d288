"""The one error of the format room: what was found, which rule refuses it, and what to do instead."""

from collections.abc import Mapping


class FormatError(Exception):
    """A file, value or word that is refused.

    `code` is stable and for programs, `message` is one or two sentences for people, `rule` names the rule of
    docs/file-formats.md that refuses (F1, F5, U6 and so on), `detail` carries the values behind the sentence.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        rule: str | None = None,
        detail: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.rule = rule
        self.detail: dict[str, object] = dict(detail or {})
