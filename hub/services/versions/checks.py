"""What must hold before a version is published: a short list of named checks, each a function of its own."""

from hub.access import Viewer
from hub.catalog import recognise
from hub.catalog.recognise import Known
from hub.errors import Conflict, Unacceptable
from hub.formats import FAMILIES, FormatError, check_trigger
from hub.models import BaseModel, Version
from hub.models.registry import Kind
from hub.services import texts
from hub.services.embeddings import licences


def publishable(version: Version) -> None:
    """Run every check on a draft, saved or not. The first that fails raises with its field and rule."""
    for check in (
        is_draft, kind_is_said, family_is_known, trigger_is_legal, licence_is_known, words_are_clean, base_fits,
    ):  # fmt: skip
        check(version)


def is_draft(version: Version) -> None:
    """Only a draft can be published. Conflict `state_conflict`."""
    if version.state != Version.State.DRAFT:
        raise Conflict(
            "state_conflict", f"This version is {version.get_state_display()}; only a draft can be published."
        )


def kind_is_said(version: Version) -> None:
    """An embedding that a tool made without a kind has got one by now."""
    if version.embedding.kind not in Kind.values:
        message = f"Say what this is of: kind is one of {', '.join(Kind.values)}."
        raise Unacceptable("field_invalid", message, field="kind")


def family_is_known(version: Version) -> None:
    """The family was read from the tensors, by a reader that this hub still has."""
    if version.family not in FAMILIES:
        raise Unacceptable("invalid_embedding", f"The family {version.family} is not known here.", rule="U6")


def trigger_is_legal(version: Version) -> None:
    """The trigger is a file name and a word in every tool, and no word that base models know already."""
    try:
        check_trigger(version.trigger)
    except FormatError as error:
        raise Unacceptable(error.code, error.message, field="trigger", rule=error.rule) from None


def licence_is_known(version: Version) -> None:
    """The licence is one of the list."""
    version.licence = licences.check_licence(version.licence)


def words_are_clean(version: Version) -> None:
    """Notes and label are within bounds."""
    version.notes = texts.prose(version.notes, field="notes", most=texts.NOTES_MAX)
    version.label = texts.version_label(version.label)


def base_fits(version: Version) -> None:
    """The base model that is claimed belongs to the family that was measured (rule F8)."""
    if version.base_model is not None:
        claim_fits(version.base_model, version.family)


def claim_fits(base_model: BaseModel, family: str) -> None:
    """Unacceptable `metadata_mismatch` with both values when a base model is of another family."""
    if base_model.family != family:
        raise Unacceptable(
            "metadata_mismatch",
            f"{base_model.title} is of the family {base_model.family}, the file is for {family}.",
            field="base_model",
            rule="F8",
            claimed=base_model.family,
            found=family,
        )


def question_is_answered(version: Version) -> None:
    """Where the tensors leave the base model open in a way that matters, the publisher has said which it is."""
    family = FAMILIES[version.family]
    if family.question and version.base_model is None:
        raise Unacceptable("base_model_open", family.question, field="base_model", rule="F8")


def values_are_new(version: Version) -> None:
    """No version of the embedding has the same values. Conflict `version_exists` naming the one that has."""
    same = (
        Version.objects.filter(
            embedding_id=version.embedding_id, tensor_digest=version.tensor_digest, number__isnull=False
        )
        .exclude(pk=version.pk)
        .order_by("number")
        .first()
    )
    if same is not None:
        raise Conflict(
            "version_exists",
            f"{same.name} of this embedding holds exactly these values already.",
            field="file",
            version=same.number,
        )


def label_is_free(version: Version) -> None:
    """No other version of the embedding has this label. Conflict `label_taken`."""
    if not version.label:
        return
    others = Version.objects.filter(embedding_id=version.embedding_id, label=version.label)
    other = others.exclude(pk=version.pk).first()
    if other is not None:
        raise Conflict("label_taken", f"The label “{version.label}” belongs to {other.name}.", field="label")


def twins(viewer: Viewer, tensor_digest: str, *, besides: int | None = None) -> list[Known]:
    """Where exactly these values are published already, as far as this viewer may know; no reason to refuse.

    `besides` leaves out the versions of one embedding.
    """
    return recognise.by_values(viewer, tensors=tensor_digest, besides=besides)
