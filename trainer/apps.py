"""App configuration of the trainer."""

from django.apps import AppConfig


class TrainerConfig(AppConfig):
    """The training app."""

    name = "trainer"
    label = "trainer"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say who tells webhooks of runs."""
        from hub.services.webhooks import events

        events.SAYERS["run"] = "trainer.api.webhooks.run"
