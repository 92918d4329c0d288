"""Base models: those that are known by name, installed ones first."""

from hub.formats import BASE_MODELS
from hub.models import BaseModel


def list_bases() -> list[BaseModel]:
    """Every base model that a publisher can name; rows of the table where there are any, else what is known of it."""
    rows = {row.name: row for row in BaseModel.objects.order_by("name")}
    known = [
        rows.get(base.id) or BaseModel(name=base.id, title=base.title, family=base.family)
        for base in BASE_MODELS.values()
    ]
    others = [row for name, row in rows.items() if name not in BASE_MODELS]
    return sorted([*known, *others], key=lambda row: (not row.is_installed, row.family, row.title))
