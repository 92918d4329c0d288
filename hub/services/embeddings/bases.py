"""Base models that a publisher names: rows of what is known, whether or not it is installed here."""

from hub.errors import Unacceptable
from hub.formats import known_base
from hub.models import BaseModel


def claimed(name: str) -> BaseModel:
    """The base model of this name, not yet stored where nobody named it before. Unacceptable for an unknown one."""
    row = BaseModel.objects.filter(name=name).first()
    if row is not None:
        return row
    known = known_base(name)
    if known is None:
        raise Unacceptable("field_invalid", "Choose a base model from the list.", field="base_model")
    return BaseModel.objects.filter(name=known.id).first() or BaseModel(
        name=known.id, title=known.title, family=known.family
    )


def keep(base: BaseModel | None) -> BaseModel | None:
    """The stored row of a claimed base model, in the caller's transaction."""
    if base is None or base.pk is not None:
        return base
    row, _ = BaseModel.objects.get_or_create(
        name=base.name, defaults={"title": base.title, "family": base.family}
    )
    return row
