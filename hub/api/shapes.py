"""Shapes of the native API: what is sent and what comes back. The schema is written from these."""

from typing import Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from hub.catalog.shelves import SORTS
from hub.formats import FAMILIES
from hub.models import Version
from hub.models.registry import Gate, Kind, Visibility

LIMIT_MAX: Final = 100


class Fields(serializers.Serializer):
    """A shape: what an object has."""


@extend_schema_field({"type": "string", "format": "binary"})
class Upload(serializers.FileField):
    """A file in a form; the generator of the schema would take it for an address."""


class Detail(Fields):
    """What a program may want to know of a refusal; other members depend on the code."""

    field = serializers.CharField(required=False, help_text="The field or parameter that it is about.")
    rule = serializers.CharField(required=False, help_text="The rule of the safety page that refused a file.")


class Refusal(Fields):
    """What was wrong."""

    code = serializers.CharField(help_text="Stable; see the page of errors.")
    message = serializers.CharField(help_text="For people: what was wrong and what to do.")
    detail = Detail()
    request_id = serializers.CharField(help_text="Names the request in the hub's log.")


class ErrorBody(Fields):
    """The one body of every refusal."""

    error = Refusal()


class PictureShape(Fields):
    """A preview picture."""

    url = serializers.URLField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    alt = serializers.CharField(allow_blank=True)
    prompt = serializers.CharField(allow_blank=True)
    negative_prompt = serializers.CharField(allow_blank=True)
    seed = serializers.IntegerField(allow_null=True)


class VersionShape(Fields):
    """One frozen release. `sha256` and `size` are those of the canonical file; both null once it is withdrawn."""

    number = serializers.IntegerField()
    name = serializers.CharField(help_text="`v3`: a revision for every way of pulling.")
    label = serializers.CharField(allow_blank=True)
    state = serializers.ChoiceField(Version.State.choices)
    reason = serializers.CharField(allow_blank=True, help_text="Why it was yanked.")
    trigger = serializers.CharField(help_text="The word to type in a prompt.")
    family = serializers.ChoiceField(sorted(FAMILIES))
    base_model = serializers.CharField(allow_null=True)
    vectors_per_token = serializers.IntegerField()
    encoders = serializers.ListField(child=serializers.DictField())
    licence = serializers.CharField()
    notes = serializers.CharField(allow_blank=True)
    warnings = serializers.ListField(child=serializers.JSONField())
    published = serializers.DateTimeField()
    is_trained_here = serializers.BooleanField()
    commit = serializers.CharField(help_text="40 hex digits that pin files and card.")
    tensor_digest = serializers.CharField(help_text="SHA-256 of the values alone, whatever the file.")
    sha256 = serializers.CharField(allow_null=True)
    size = serializers.IntegerField(allow_null=True)
    digests = serializers.DictField(child=serializers.CharField())
    pulls = serializers.IntegerField()
    pictures = PictureShape(many=True)
    files = serializers.URLField(help_text="Every layout of it, and where to get it.")
    url = serializers.URLField()


class WholeVersionShape(VersionShape):
    """A version with all that is known of how it was made and what it does."""

    initializer = serializers.CharField(allow_blank=True)
    sheet_state = serializers.ChoiceField(Version.SheetState.choices)
    insights = serializers.DictField(help_text="Measures of the sheet, and the words nearest to each vector.")
    provenance = serializers.DictField(
        help_text="How it was made; with `claimed` as its file says, unchecked."
    )


class EmbeddingShape(Fields):
    """An embedding with its newest offered version, null before the first."""

    name = serializers.CharField(help_text="`owner/name`.")
    owner = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField(allow_blank=True)
    kind = serializers.ChoiceField(Kind.choices, allow_blank=True)
    visibility = serializers.ChoiceField(Visibility.choices)
    gate = serializers.ChoiceField(Gate.choices, help_text="Who may have its files, beyond who may see it.")
    tags = serializers.ListField(child=serializers.CharField())
    pulls = serializers.IntegerField()
    likes = serializers.IntegerField()
    created = serializers.DateTimeField()
    page = serializers.URLField(help_text="The page for people.")
    url = serializers.URLField()
    version = VersionShape(allow_null=True)


class WholeEmbeddingShape(EmbeddingShape):
    """An embedding with its card and the numbers of all versions that the viewer may see, newest first."""

    card = serializers.CharField(allow_blank=True)
    versions = serializers.ListField(child=serializers.IntegerField())


class EmbeddingsShape(Fields):
    """A page of the list; `next` leads to the following one, null at the end."""

    items = EmbeddingShape(many=True)
    next = serializers.URLField(allow_null=True)


class VersionsShape(Fields):
    """A page of the versions that the viewer may see, newest first."""

    items = VersionShape(many=True)
    next = serializers.URLField(allow_null=True)


class FilterQuery(Fields):
    """Filters of the list."""

    q = serializers.CharField(
        required=False, default="", allow_blank=True, max_length=200, help_text="Words."
    )
    family = serializers.ChoiceField(sorted(FAMILIES), required=False)
    kind = serializers.ChoiceField(Kind.choices, required=False)
    owner = serializers.CharField(required=False, default="", allow_blank=True, max_length=60)
    tag = serializers.CharField(required=False, default="", allow_blank=True, max_length=60)
    licence = serializers.CharField(required=False, max_length=64)
    trained_here = serializers.BooleanField(required=False, default=False)


class ListQuery(FilterQuery):
    """Filters of the list, and its order."""

    sort = serializers.ChoiceField(
        ["best", *sorted(SORTS)],
        required=False,
        default="best",
        help_text="`best`: words by how well they fit; the newest first without any.",
    )
    limit = serializers.IntegerField(required=False, default=24, min_value=1, max_value=LIMIT_MAX)
    cursor = serializers.CharField(required=False, default="", allow_blank=True, max_length=200)


class DetailsForm(Fields):
    """What the owner may change at any time. What is left out stays as it is."""

    title = serializers.CharField(required=False, max_length=120)
    summary = serializers.CharField(required=False, allow_blank=True, max_length=280)
    card = serializers.CharField(required=False, allow_blank=True, max_length=50_000, help_text="Markdown.")
    tags = serializers.ListField(child=serializers.CharField(max_length=48), required=False, max_length=20)
    visibility = serializers.ChoiceField(Visibility.choices, required=False)
    kind = serializers.ChoiceField(Kind.choices, required=False)


class NewEmbeddingForm(DetailsForm):
    """A new embedding without a version; strangers do not see it before the first one."""

    name = serializers.CharField(max_length=96, help_text="Small letters, digits, and . _ - inside.")
    owner = serializers.CharField(
        required=False,
        default="",
        allow_blank=True,
        max_length=96,
        help_text="A team that you may write for; without it your own name.",
    )
    title = serializers.CharField(required=False, default="", allow_blank=True, max_length=120)
    kind = serializers.ChoiceField(Kind.choices)


class NewVersionForm(Fields):
    """A file, and what goes with it. The other fields freeze with the version."""

    file = Upload(help_text="Any container that the format page names.")
    half = Upload(required=False, help_text="The other file of an SDXL word that lies in two.")
    trigger = serializers.CharField(max_length=64)
    licence = serializers.CharField(max_length=64)
    base_model = serializers.CharField(required=False, max_length=96)
    notes = serializers.CharField(required=False, default="", allow_blank=True, max_length=5_000)
    label = serializers.CharField(required=False, default="", allow_blank=True, max_length=40)


class LabelForm(Fields):
    """A word beside the number: small letters, digits, dots and dashes."""

    label = serializers.CharField(max_length=40)


class RenameForm(Fields):
    """The new name under the same owner; the old one leads to it for ever."""

    name = serializers.CharField(max_length=96)


class YankForm(Fields):
    """Why it should not be used any more; shown to everybody who still has it."""

    reason = serializers.CharField(max_length=280)


class WhoamiShape(Fields):
    """The person, and what the token that was sent may do (null for a session)."""

    name = serializers.CharField()
    teams = serializers.ListField(child=serializers.CharField(), help_text="Those that you may write for.")
    scopes = serializers.ListField(child=serializers.CharField(), allow_null=True)
    expires = serializers.DateTimeField(allow_null=True)


class BaseModelShape(Fields):
    """A base model by the name that `base_model` fields take."""

    name = serializers.CharField()
    title = serializers.CharField()
    family = serializers.ChoiceField(sorted(FAMILIES))
    fits = serializers.CharField(allow_blank=True)
    is_installed = serializers.BooleanField(help_text="Whether this hub trains and draws with it.")


class DownloadShape(Fields):
    """A layout of a version. Size and digest are null while nobody has asked for a file made on request."""

    layout = serializers.CharField()
    path = serializers.CharField(help_text="The file name that tools want.")
    tools = serializers.ListField(child=serializers.CharField())
    size = serializers.IntegerField(allow_null=True)
    sha256 = serializers.CharField(allow_null=True)
    url = serializers.URLField()


class DownloadsShape(Fields):
    """Every layout of a version."""

    files = DownloadShape(many=True)


class FilesQuery(Fields):
    """Which layout, for the file itself."""

    layout = serializers.CharField(required=False, help_text="With it the answer is the file.")


class InspectForm(Fields):
    """A file to be told about; nothing of it is stored."""

    file = Upload()


class ConvertForm(Fields):
    """An embedding, and the layout it is wanted in."""

    file = Upload(help_text="Any container that the format page names.")
    half = Upload(required=False, help_text="The other file of an SDXL word that lies in two.")
    layout = serializers.CharField(required=False, default="canonical", max_length=40)


class InspectionShape(Fields):
    """What it is. Other members depend on the kind; the page of this API lists them."""

    file = serializers.CharField()
    kind = serializers.CharField()
    verdict = serializers.CharField()
    digests = serializers.DictField(child=serializers.CharField(allow_null=True))


class BaseModelsShape(Fields):
    """A page of those that are known here, installed ones first."""

    items = BaseModelShape(many=True)
    next = serializers.URLField(allow_null=True)
