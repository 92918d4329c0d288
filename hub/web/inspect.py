"""What is it? Anybody drops a file or a generated picture and learns what it is; nothing of it is stored."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from hub.errors import HubError
from hub.formats import served_layouts
from hub.formats.loading import NO, prompt_word
from hub.services.versions import converting, inspecting
from hub.wire import files, uploads
from hub.wire.auth import viewer_of
from hub.wire.errors import STATUS
from hub.wire.throttle import limited

# How the digests of a file are called where people meet them.
DIGESTS = (
    ("sha256", "SHA-256", "of the whole file"),
    ("tensors", "Tensors", "of the values alone, equal in every container"),
    ("autov2", "AutoV2", "Civitai"),
    ("autov3", "AutoV3", "Civitai, without the header"),
    ("autov1", "AutoV1", "old A1111, files over 2 MiB"),
    ("webui", "A1111", "TI hashes in pictures"),
    ("webui_checksum", "A1111, old", "Used embeddings in pictures"),
    ("crc32", "CRC-32", ""),
    ("blake3", "BLAKE3", ""),
)
# What to do about the refusals that people meet most.
ADVICE = {
    "file_too_large": "If it is a LoRA with an embedding inside, take the embedding out first.",
    "unsafe_file": "Do not load this file in any tool. If you made it yourself, save it again as .safetensors.",
    "unsupported_container": "Embeddings are .safetensors, .pt or .bin files, or pictures that A1111 wrote.",
    "not_an_embedding": "A LoRA, checkpoint or VAE belongs in another folder of your tool; it is no embedding.",
    "type_mismatch": "Give the file the ending of what it is.",
}


@require_http_methods(["GET", "HEAD", "POST"])
@limited("inspect")
def inspect(request: HttpRequest) -> HttpResponse:
    """The page; a POST with a file adds the answer, alone for scripts."""
    if request.method != "POST":
        return render(request, "inspect/page.html")
    try:
        spooled = uploads.spool(request.FILES.get("file"), max_bytes=uploads.file_ceiling())
        found = inspecting.what_is(viewer_of(request), path=spooled.path, filename=spooled.filename)
    except HubError as error:
        return _shown(request, {"error": error}, STATUS[error.kind])
    return _shown(request, _context(found, spooled), 200)


@require_POST
@limited("inspect")
def convert(request: HttpRequest) -> HttpResponse:
    """The dropped file in another layout, as a download. Never a pickle, and nothing is stored."""
    layout = request.POST.get("layout", "canonical")
    try:
        spooled = uploads.spool(request.FILES.get("file"))
        made = converting.upload_in(
            viewer_of(request), path=spooled.path, filename=spooled.filename, layout=layout
        )
    except HubError as error:
        return _shown(request, {"error": error}, STATUS[error.kind])
    return files.send_made(made)


def _shown(request: HttpRequest, context: dict[str, Any], status: int) -> HttpResponse:
    """The answer alone for htmx, within the page for everybody else."""
    template = "inspect/result.html" if request.htmx else "inspect/page.html"  # type: ignore[attr-defined]  # set by its middleware
    return render(request, template, {"shown": True, **context}, status=status)


def _context(found: inspecting.Inspection, spooled: uploads.Spooled) -> dict[str, Any]:
    digests = found.facts.get("digests") or {}
    trigger = str(found.facts.get("trigger") or "")
    family = str(found.facts.get("family") or "")
    return {
        "found": found,
        "facts": found.facts,
        "file": spooled,
        "advice": ADVICE.get(found.code, ""),
        "digests": [
            {"title": title, "what": what, "value": digests[key]}
            for key, title, what in DIGESTS
            if digests.get(key)
        ],
        "words": [
            {"title": one.title, "text": prompt_word(one.tool, trigger)}
            for one in found.loads
            if one.verdict != NO and one.tool not in ("sdcpp", "kohya")
        ],
        "layouts": served_layouts(family) if family else [],
    }
