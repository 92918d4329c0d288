"""Run as a program: what a person's own script does. Pulls an embedding by name and draws one picture with it.

Arguments: a JSON object with `base`, `name`, `revision`, `prompt`, `negative`, `seed`, `steps`, `guidance`, `side`,
`token` and `out`.
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
options = {"hf_token": asked["token"]} if asked.get("token") else {}
try:
    pipeline.load_textual_inversion(asked["name"], revision=asked.get("revision"), **options)
except Exception as error:
    names = [type(error).__name__]
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
        names.append(type(error).__name__)
    sys.stdout.write(json.dumps({"errors": names}) + "\n")
    sys.exit(1)
image = pipeline(
    asked["prompt"],
    negative_prompt=asked.get("negative") or None,
    num_inference_steps=asked["steps"],
    guidance_scale=asked["guidance"],
    width=asked["side"],
    height=asked["side"],
    generator=torch.Generator("cpu").manual_seed(asked["seed"]),
).images[0]
image.save(asked["out"])
words = [word for word in pipeline.tokenizer.get_added_vocab() if not word.startswith("<|")]
sys.stdout.write(json.dumps({"words": sorted(words)}) + "\n")
