"""Run as a program: what a person's own script does. Pulls an embedding by name and draws one picture with it.

Arguments: a JSON object with `base`, `pulls` (objects with `name`, `revision`, `token`, tried in turn) and `picture`
(`prompt`, `negative`, `seed`, `steps`, `guidance`, `side`, `out`; or null). Prints one JSON object for each pull.
"""

import json
import sys

import torch
from diffusers import StableDiffusionPipeline

asked = json.loads(sys.argv[1])
pipeline = StableDiffusionPipeline.from_pretrained(
    asked["base"], torch_dtype=torch.float32, safety_checker=None
)
pipeline.set_progress_bar_config(disable=True)
for one in asked["pulls"]:
    options = {"hf_token": one["token"]} if one["token"] else {}
    try:
        pipeline.load_textual_inversion(one["name"], revision=one["revision"], **options)
    except Exception as error:
        names = [type(error).__name__]
        while error.__cause__ or error.__context__:
            error = error.__cause__ or error.__context__
            names.append(type(error).__name__)
        said = {"errors": names}
    else:
        said = {"words": [word for word in pipeline.tokenizer.get_added_vocab() if not word.startswith("<|")]}
    sys.stdout.write(json.dumps(said) + "\n")
picture = asked["picture"]
if picture:
    image = pipeline(
        picture["prompt"],
        negative_prompt=picture["negative"] or None,
        num_inference_steps=picture["steps"],
        guidance_scale=picture["guidance"],
        width=picture["side"],
        height=picture["side"],
        generator=torch.Generator("cpu").manual_seed(picture["seed"]),
    ).images[0]
    image.save(picture["out"])
