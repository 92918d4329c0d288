"""The top of a card: what is read of it, what is refused, and what is left of hostile values."""

import json
import math
from datetime import date

import pytest
import yaml

from hub.errors import Unacceptable
from hub.services.versions import cards, front_matter


@pytest.mark.parametrize(
    ("text", "fields", "body"),
    [
        ("---\na: 1\n---\nbody\n", {"a": 1}, "body\n"),
        ("\n  \n---\r\na: 1\r\n---\r\nbody", {"a": 1}, "body"),
        ("\ufeff---\na: 1\n---", {"a": 1}, ""),
        ("---\n---\nbody", {}, "body"),
        ("---\n# only a comment\n---\nbody", {}, "body"),
        ("body\n---\na: 1\n---\n", None, "body\n---\na: 1\n---\n"),
        ("---\nno end", None, "---\nno end"),
        ("", None, ""),
    ],
)
def test_front_matter_and_text_are_told_apart(text: str, fields: object, body: str) -> None:
    parsed = front_matter.parse(text)
    assert (parsed.fields, parsed.body) == (fields, body)


def test_a_bad_line_is_named() -> None:
    with pytest.raises(Unacceptable) as refused:
        front_matter.parse("---\na: 1\nb: [1\n---\n")
    assert refused.value.code == "card_unreadable"
    assert "line 3" in refused.value.message or "line 4" in refused.value.message


def test_what_is_kept_is_json_that_both_databases_take() -> None:
    kept = front_matter.kept(
        {
            "when": date(2026, 1, 2), "far": math.inf, "none": math.nan, "big": 1 << 70, "nul": "\0", "half": "\ud800",
            "set": {1, 2}, "bytes": b"x", "long": "x" * 5000, "many": list(range(500)), "deep": [[[[[[[1]]]]]]],
            "text": "ü 🌿\nx", "nested": {"a": {"b": [1, True, None]}, "c: d": 1, "no": 1}, "title": "fine",
        }
    )  # fmt: skip
    assert json.loads(json.dumps(kept, allow_nan=False)) == kept
    assert set(kept) == {"when", "long", "many", "deep", "text", "nested", "title"}
    assert kept["when"] == "2026-01-02"
    assert (len(kept["long"]), len(kept["many"])) == (2000, 100)
    assert kept["nested"] == {"a": {"b": [1, True, None]}}


def test_what_the_hub_writes_it_reads_back() -> None:
    said = front_matter.kept(
        {
            "language": ["en", "de"],
            "widget": [{"text": "a: b # c", "output": {"url": "x"}}],
            "empty": [],
            "n": None,
        }
    )
    text = "\n".join(["---", *cards._yaml(said), "---", ""])
    assert yaml.safe_load(text.split("---")[1]) == said
    assert front_matter.parse(text).fields == said


def test_more_than_is_kept_is_refused() -> None:
    with pytest.raises(Unacceptable, match="more than is kept"):
        front_matter.kept({f"key{number}": "x" * 2000 for number in range(20)})
