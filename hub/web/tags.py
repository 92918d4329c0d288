"""Template tags and filters that every page has without loading them."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.forms import BaseForm, BoundField
from django.template import Context, Library
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.crypto import get_random_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from hub.catalog.shapes import Picture
from hub.formats import families, known_base
from hub.wire import prose
from hub.wire.media import address

register = Library()


@register.simple_tag
def field(bound: BoundField) -> SafeString:
    """A form field with its label, hint and errors; tick boxes and tiles are recognised."""
    if bound.is_hidden:
        return SafeString(bound)
    widget = bound.field.widget
    if isinstance(widget, forms.RadioSelect | forms.CheckboxSelectMultiple):
        template = "parts/choices.html"
    elif isinstance(widget, forms.CheckboxInput):
        template = "parts/check.html"
    else:
        template = "parts/field.html"
    return render_to_string(template, {"field": bound})


@register.filter
def tidy(bound: BoundField) -> BoundField:
    """A field of allauth in this house's manner: one label that says most, in sentence case, and nothing in the box."""
    hint = bound.field.widget.attrs.pop("placeholder", "")
    bound.label = sentence(max(str(hint), str(bound.label), key=len))
    return bound


@register.simple_tag
def form_errors(form: BaseForm) -> SafeString:
    """What is wrong with the form as a whole."""
    return render_to_string("parts/form_errors.html", {"errors": form.non_field_errors()})


@register.simple_tag
def media(sha256: str, content_type: str = "image/png") -> str:
    """Address of a stored picture."""
    return address(sha256, content_type)


@register.simple_tag
def picture_url(picture: Picture) -> str:
    """Address of a picture of the catalogue."""
    return f"/media/{picture.sha256}.{picture.extension}"


@register.simple_tag
def version_url(full_name: str, number: int) -> str:
    """Address of a version by `owner/name` and number."""
    owner, _, name = full_name.partition("/")
    return reverse("entry_version", args=[owner, name, number])


@register.simple_tag
def copyable(text: str, label: str = "Copy") -> SafeString:
    """A line or block of code with a button that copies it."""
    name = f"copy-{get_random_string(8)}"
    tag = "pre" if "\n" in text else "code"
    return format_html(
        '<div class="copy"><{tag} id="{name}" tabindex="0">{text}</{tag}>'
        '<button class="button button-small" type="button" data-copy="{name}">{label}</button></div>',
        tag=SafeString(tag),
        name=name,
        text=text,
        label=label,
    )


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> str:
    """The query string of this page with some values changed; None or '' removes one."""
    values = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            values.pop(name, None)
        else:
            values[name] = str(value)
    return f"?{values.urlencode()}"


@register.simple_tag(takes_context=True)
def facet_query(context: Context, name: str, value: str | None) -> str:
    """The query string with one filter set or taken away, back on the first page."""
    return query(context, **{"page": None, name: value})


@register.filter
def fits(base_model: str) -> str:
    """What it means that an embedding of its family fits this base model; empty for one that nobody knows."""
    known = known_base(base_model)
    return known.fits if known else ""


@register.filter
def short(digest: str) -> str:
    """The first twelve digits of a digest."""
    return str(digest)[:12]


@register.filter
def markdown(text: str) -> SafeString:
    """A card or note as HTML."""
    return prose.card(text)


@register.filter
def family_title(family: str) -> str:
    """`Stable Diffusion 1.x` for `sd1`."""
    known = families.FAMILIES.get(family)
    return known.title if known else family


@register.filter
def example(prompt: str, trigger: str) -> SafeString:
    """A prompt as an example of use: the trigger stands out, as a headword does."""
    before, word, after = str(prompt).partition(trigger) if trigger else (str(prompt), "", "")
    return format_html("{}<b>{}</b>{}", before, word, after) if word else format_html("{}", before)


@register.filter
def at(mapping: Mapping[str, Any], key: str) -> Any:
    """The value under a key that is not a legal name in a template; None without it."""
    return mapping.get(key) if mapping else None


@register.filter
def sentence(text: str) -> str:
    """A heading in sentence case: `Two-Factor Authentication` as `Two-factor authentication`."""
    plain = str(text).strip()
    return plain[:1] + plain[1:].lower()


@register.filter
def first_of(items: Iterable[Any], count: int) -> list[Any]:
    """The first few of something."""
    return list(items)[:count]
