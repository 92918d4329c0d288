"""What was asked for, checked by a serializer: every wrong field is named at once."""

from collections.abc import Mapping
from typing import Any

from django.utils.datastructures import MultiValueDict
from rest_framework.request import Request

from hub.api.shapes import Fields
from hub.errors import Invalid, Unacceptable
from hub.services.embeddings import bases
from hub.wire import uploads
from hub.wire.errors import ProtocolError


def query(form: type[Fields], given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of an address. Invalid `malformed_request` with every wrong one; unknown ones are ignored."""
    values, problems = _checked(form, given)
    if problems:
        raise Invalid("malformed_request", _sentence(problems), field=problems[0]["field"], errors=problems)
    return values


def body(form: type[Fields], given: Any) -> dict[str, Any]:
    """The fields of a body. Unacceptable `field_invalid` with every wrong one, an unknown one among them."""
    if not isinstance(given, Mapping):
        raise Invalid("malformed_request", "The body has to be one JSON object, or a form.")
    strange = sorted(set(given) - set(form().fields))
    if strange:
        known = ", ".join(form().fields)
        raise Unacceptable(
            "field_invalid",
            f"There is no field {strange[0][:40]!r} here; there are {known}.",
            field=strange[0][:40],
        )
    values, problems = _checked(form, given)
    if problems:
        raise Unacceptable("field_invalid", _sentence(problems), field=problems[0]["field"], errors=problems)
    return values


def sent_form(request: Request) -> dict[str, Any]:
    """The fields of a form, files among them. ProtocolError 415 for a body that is none."""
    if not isinstance(request.data, MultiValueDict):
        if request.data:
            raise unreadable()
        return {}
    return {**request.data.dict(), **request.FILES.dict()}


def unreadable() -> ProtocolError:
    """The refusal of a body of another kind than is read here."""
    return ProtocolError(415, "unsupported_media_type", "Send JSON, or a form with the file in it.")


def file_and_fields(form: type[Fields], request: Request) -> dict[str, Any]:
    """A form with an embedding in it, as the services take it: paths and names of its files, the base model's row."""
    fields = body(form, sent_form(request))
    spooled = uploads.spool(request.FILES.get("file"))
    half = uploads.spool(request.FILES["half"], field="half") if "half" in request.FILES else None
    base = fields.pop("base_model", None)
    for taken in ("file", "half"):
        fields.pop(taken, None)
    return {
        **fields,
        "path": spooled.path,
        "filename": spooled.filename,
        "half": (half.path, half.filename) if half else None,
        "base_model": bases.claimed(base) if base else None,
    }


def _checked(form: type[Fields], given: Mapping[str, Any]) -> tuple[dict[str, Any], list[dict[str, str]]]:
    asked = form(data=given)
    if asked.is_valid():
        return dict(asked.validated_data), []
    return {}, [{"field": field, "message": _first(found)} for field, found in asked.errors.items()]


def _first(found: Any) -> str:
    while isinstance(found, dict | list):
        found = next(iter(found.values() if isinstance(found, dict) else found), "Not valid.")
    return str(found)


def _sentence(problems: list[dict[str, str]]) -> str:
    return " ".join(f"{one['field']}: {one['message']}" for one in problems)
