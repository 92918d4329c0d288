"""App configuration of the trainer."""

from django.apps import AppConfig


class TrainerConfig(AppConfig):
    """The training app."""

    name = "trainer"
    label = "trainer"
    default_auto_field = "django.db.models.BigAutoField"
