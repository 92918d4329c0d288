"""The model card of the tiny base: what it is, what it can and cannot do, and its latest numbers."""

from collections.abc import Iterable

from trainer.tiny import shapes, world


def words(names: Iterable[str]) -> str:
    """Names in a row."""
    return ", ".join(names)


def card(samples: int, numbers: str = "Not examined yet.", curve: str = "") -> str:
    """The card as Markdown; `numbers` is the table of the last examination, `curve` that of all."""
    return f"""# Tiny shapes

A very small text-to-image model in the exact structure of Stable Diffusion 1.x, made so that textual inversion can
be tried, taught and tested anywhere, without a GPU and without a download. It draws one plain object on a calm
ground at 64x64 pixels, and nothing else.

## What it knows

- objects: {words(shapes.SHAPES)}; `shape` stands for any of them
- colours: {words(world.COLOURS)}
- fills in two colours: {words(shapes.FILLS)}; `patterned` stands for any of them, `plain` for none
- grounds ("on a ... background"): {words(world.GROUNDS)}
- and: `small`, "with a black outline", "with a white outline", "with a face", {words(world.DEFECTS)}
- "a snapshot of ...": half of these come out blurry or faded without being asked, so that there is something for a
  negative word to prevent

Prompts read like "a picture of a red and white striped star on a blue background" or "a photo of a heart on a
yellow background in the style of green and white dotted". Other words are known to the tokenizer, which is the full
CLIP one, but all mean the same to the model: nothing.

## How it was made

From nothing, on two CPU cores, by `python -m trainer.tiny build`: pictures and captions are drawn by
`trainer/tiny/world.py`; no picture, caption or weight of anyone else went in. The denoiser and the text encoder have
seen {samples:,} samples. Kept from training, for new words to be learned: the silhouettes
{words(shapes.HELD_OUT_SHAPES)}, the fills
{words(shapes.HELD_OUT_FILLS)}, two palettes, and one in seventeen combinations of known words.

| part | |
| --- | --- |
| autoencoder | 3 levels (16, 32, 64 channels), 64x64 pixels to 16x16x4 latents |
| text encoder | 2 layers, 128 wide, 49,408 entries, 77 places |
| denoiser | 3 levels (32, 64, 96 channels), cross-attention at 8x8 and 4x4, 2.8 million parameters |
| schedule | v-prediction, zero terminal signal; DDIM, trailing steps, 20 steps, guidance as in `glossa.json` |

## Numbers

Prompts and seeds are new in each examination; a small classifier of true renders is the judge.

{numbers}

Known combinations by how much the base had seen. Up to 1,040,000 at guidance 3 and by the same judge before it had
learned as long; from 1,100,000 on, the rate of learning was up again, and fell after 1,280,000.

{curve}

## Limits

It is a teaching model. Grounds, silhouettes, colours and fills come out as asked nearly always. Of new words it learns
silhouettes with their colours best; a new fill or palette comes out near what was shown and seldom exactly so. Edges
wobble, small objects lose detail, and nothing outside its world can be drawn.
Positions, several objects and backgrounds with things in them are not part of that world.

## Licence

Apache-2.0, weights included. The CLIP vocabulary is MIT-licensed; see the project's NOTICE.
"""
