"""Files that are no embedding but something else that people keep beside them: say what, so that the refusal helps."""

import re
from collections.abc import Mapping

from hub.formats.errors import FormatError

_LATENT_CHANNELS = (3, 4, 16)
# Whole key parts only: a word may be called <lora:x>.
_OTHER_MODELS = tuple(
    (re.compile(pattern), what)
    for pattern, what in (
        (r"\.(lora_(down|up|A|B|mid)|hada_w\d_[ab]|lokr_w\d(_[ab])?)(\.|$)", "a LoRA"),
        (
            r"^lora_(unet|te\d?|transformer)_.+\.(alpha|dora_scale|diff|diff_b)$",
            "a LoRA",
        ),
        (
            r"^(model\.diffusion_model|model\.model\.diffusion_model)\.",
            "a checkpoint of a whole model",
        ),
        (
            r"^(control_model|controlnet_cond_embedding|input_hint_block|zero_convs)\.",
            "a ControlNet",
        ),
        (r"(^|\.)(image_proj|ip_adapter)\.", "an IP-Adapter"),
        (
            r"^(encoder|decoder)\.conv_in\.|^(post_)?quant_conv\.|^first_stage_model\.",
            "a VAE",
        ),
        (
            r"^(down_blocks|up_blocks|mid_block|conv_in|double_blocks|single_blocks)\.",
            "an image model",
        ),
        (r"(^|\.)text_model\.(embeddings|encoder)\.", "a text encoder"),
        (r"^(shared\.weight|encoder\.block\.\d+\.layer\.)", "a T5 text encoder"),
        (r"^(768|320|640|1024|1280)\.\d+\.(linear|weight|bias)", "a hypernetwork"),
    )
)
# Asked first: of an embedding's names none is found in it.
_ANY = re.compile("|".join(f"(?:{pattern.pattern})" for pattern, _ in _OTHER_MODELS))


def refuse_other_models(shapes: Mapping[str, tuple[int, ...]]) -> None:
    """FormatError (U6) when the tensor names are those of another kind of model, saying which."""
    for key, shape in shapes.items():
        for pattern, what in _OTHER_MODELS if _ANY.search(key) else ():
            if pattern.search(key):
                raise _refusal(f"This is {what}, not an embedding.", key=key[:200])
        if len(shape) == 4 and len(shapes) == 1 and shape[0] == 1 and shape[1] in _LATENT_CHANNELS:
            raise _refusal(
                "This is a saved picture or latent, not an embedding.",
                shape=list(shape),
            )


def _refusal(message: str, **detail: object) -> FormatError:
    return FormatError("not_an_embedding", message, rule="U6", detail=detail)
