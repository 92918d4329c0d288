"""Parameters of this door: read one by one, refused all at once with the words that are allowed."""

from collections.abc import Collection, Sequence
from typing import Any, NoReturn

from django.http import QueryDict

from hub.civitai import ids
from hub.civitai.errors import malformed

TEXT_MAX = 400


class Asked:
    """A query; `finish` refuses it if anything in it could not be read. What is unknown is ignored."""

    def __init__(self, query: QueryDict) -> None:
        self.query = query
        self._issues: list[dict[str, Any]] = []

    def __contains__(self, name: str) -> bool:
        return name in self.query

    def text(self, name: str) -> str:
        """Free text, cut at a sane length."""
        return self.query.get(name, "").replace("\0", "").strip()[:TEXT_MAX]

    def number(self, name: str, *, least: int, most: int, otherwise: int) -> int:
        """A whole number in these bounds."""
        text = self.query.get(name, "").strip()
        if not text:
            return otherwise
        if not (text.isascii() and text.isdecimal() and len(text) <= 10 and least <= int(text) <= most):
            self._refuse(name, "invalid_type", f"Expected a number from {least} to {most}", expected="number")
            return otherwise
        return int(text)

    def optional(self, name: str) -> int | None:
        """An id, if there is one."""
        return self.number(name, least=1, most=ids.LARGEST, otherwise=0) or None

    def numbers(self, name: str) -> list[int] | None:
        """Ids, written `a=1,2` or `a=1&a=2`; None without the parameter."""
        if name not in self.query:
            return None
        found = []
        for text in self._parts(name):
            if not (text.isascii() and text.isdecimal() and len(text) <= 10 and 0 < int(text) <= ids.LARGEST):
                self._refuse(name, "invalid_type", "Expected numbers", expected="number")
                return []
            found.append(int(text))
        return found

    def flag(self, name: str) -> bool | None:
        """`true` or `false`; None without the parameter."""
        text = self.query.get(name, "").strip().lower()
        if not text:
            return None
        if text not in ("true", "false"):
            self._refuse(name, "invalid_type", "Expected true or false", options=["true", "false"])
        return text == "true"

    def word(self, name: str, allowed: Collection[str], *, otherwise: str) -> str:
        """One of these words."""
        text = self.query.get(name, "").strip()
        if not text:
            return otherwise
        if text not in allowed:
            self._refuse_word(name, list(allowed), text)
            return otherwise
        return text

    def words(self, name: str, allowed: Collection[str] | None = None) -> list[str]:
        """Words, repeated or joined with commas, out of these if any are given."""
        found = list(self._parts(name))
        for text in found:
            if allowed is not None and text not in allowed:
                self._refuse_word(name, list(allowed), text)
        return found

    def finish(self) -> None:
        """Nothing, or Invalid with everything that was wrong."""
        if self._issues:
            raise malformed(self._issues)

    def refuse(self, name: str, message: str) -> NoReturn:
        """Invalid for a parameter that does not go with the others."""
        self._refuse(name, "custom", message)
        raise malformed(self._issues)

    def _parts(self, name: str) -> Sequence[str]:
        # Old clients add brackets to a repeated parameter.
        given = [*self.query.getlist(name), *self.query.getlist(f"{name}[]")]
        return [part.strip() for text in given for part in text.split(",") if part.strip()]

    def _refuse_word(self, name: str, allowed: list[str], received: str) -> None:
        self._refuse(
            name,
            "invalid_value",
            f"Invalid option: expected one of {'|'.join(allowed)}",
            received=received[:60],
            values=allowed,
            options=allowed,
        )

    def _refuse(self, name: str, code: str, message: str, **more: Any) -> None:
        self._issues.append({"code": code, "path": [name], "message": message, **more})
