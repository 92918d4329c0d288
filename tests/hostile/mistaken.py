"""U6 and U4: sound files of something else than an embedding, and files under the name of another kind."""

from collections.abc import Iterator

from tests.hostile.assemble import (
    EMPTY_LIST,
    dictionary,
    items,
    legacy_file,
    number,
    pickle,
    sizes,
    storage,
    tensor,
    text,
    torch_zip,
    word,
)
from tests.hostile.pictures import GOOD as _CARRIER
from tests.hostile.sample import Hostile, hostile
from tests.samples import embedding_file, floats, keyed_file, lora_file, packed, safetensors_file


@hostile
def not_embeddings() -> Iterator[Hostile]:
    """U6: sound files of something else, or of no family."""
    tiny = {"emb_params": 128}
    for name, widths in {
        "width-777": {"emb_params": 777},
        "width-512": {"word": 512},
        "cross-attention-width": {"emb_params": 320},
        "narrow-clip-l": {"clip_l": 512, "clip_g": 1280},
        "swapped-encoders": {"clip_l": 1280, "clip_g": 768},
        "no-such-set": {"clip_g": 1280, "llama": 4096},
        "two-words": {"<one>": 768, "<two>": 768},
        "outputs-only": {"emp_params_out": 768},
        "bundle-of-two": {"bundle_emb.a.clip_l": 768, "bundle_emb.b.clip_l": 768},
        "bundle-of-unknown": {"bundle_emb.a.spare": 768},
        "vae": {"encoder.conv_in.weight": 128},
        "checkpoint": {"model.diffusion_model.input_blocks.0.weight": 128},
        "text-encoder": {"text_model.embeddings.token_embedding.weight": 768},
        "controlnet": {"control_model.input_blocks.0.0.weight": 128},
        "ip-adapter": {"image_proj.proj.weight": 768},
    }.items():
        yield Hostile(name, "U6", keyed_file(widths), keyed_file(tiny))
    yield Hostile("lora", "U6", lora_file(), keyed_file(tiny))
    yield Hostile("257-vectors", "U6", embedding_file(vectors=257), embedding_file(vectors=256))
    latent = packed("F32", floats(256))
    yield Hostile(
        "latent",
        "U6",
        safetensors_file({"latent": ("F32", [1, 4, 8, 8], latent)}),
        safetensors_file({"latent": ("F32", [2, 128], latent)}),
    )
    uneven = {"clip_l": ("F32", [2, 768], packed("F32", floats(1536)))}
    uneven["clip_g"] = ("F32", [1, 1280], packed("F32", floats(1280)))
    yield Hostile(
        "uneven-encoders", "U6", safetensors_file(uneven), keyed_file({"clip_l": 768, "clip_g": 1280})
    )


@hostile
def pickled_models() -> Iterator[Hostile]:
    """U6: checkpoints, LoRAs, hypernetworks and the like, as PyTorch files."""
    good = torch_zip()
    one = {"shape": sizes(1, 128)}
    for label, entries in {
        "checkpoint": {"state_dict": dictionary({"model.diffusion_model.input_blocks.0.weight": tensor()})},
        "lora": {
            "lora_unet_down.lora_down.weight": tensor(**one),
            "lora_unet_down.lora_up.weight": tensor(**one, offset=number(128)),
        },
        "vae": {"encoder.conv_in.weight": tensor()},
        "vae-quant": {"quant_conv.weight": tensor()},
        "controlnet": {"control_model.input_blocks.0.weight": tensor()},
        "text-encoder": {"text_model.embeddings.token_embedding.weight": tensor()},
        "nothing": {},
        "no-tensors": {"name": text("moss"), "step": number(3)},
        "words-are-a-list": {"string_to_param": EMPTY_LIST},
        "words-are-empty": {"string_to_param": dictionary({})},
        "words-are-text": {"string_to_param": dictionary({"*": text("vectors")})},
        "optimizer": {
            "state": dictionary({}),
            "param_groups": EMPTY_LIST + dictionary({"lr": number(1)}) + b"a",
        },
        "a-list-of-tensors": {"768": EMPTY_LIST + tensor() + b"a"},
    }.items():
        content = pickle(dictionary(entries))
        numbers = None if b"_rebuild_tensor_v2" in content else {}
        yield Hostile(f"pickled-{label}", "U6", torch_zip(content, numbers), good, "moss-dragon.pt")
    for label, value in {
        "number": number(1),
        "text": text("moss"),
        "none": b"N",
        "list": EMPTY_LIST + number(1) + b"a",
        "tuple": items(text("a"), text("b")),
        "bytes": b"C\x03abc",
    }.items():
        yield Hostile(f"pickled-{label}", "U6", torch_zip(pickle(value), {}), good, "moss-dragon.pt")
    hypernetwork = b"}" + number(768) + EMPTY_LIST + b"s" + text("step") + number(1) + b"s"
    yield Hostile("pickled-hypernetwork", "F3", torch_zip(pickle(hypernetwork), {}), good, "moss-dragon.pt")
    whole = word(tensor(source=storage(cls=b"ctorch\nLongStorage\n", count=number(128)), shape=sizes(1, 128)))
    yield Hostile("pickled-whole-numbers", "U6", torch_zip(whole), good, "moss-dragon.pt")


@hostile
def wrong_names() -> Iterator[Hostile]:
    """U4: files under the name of another kind."""
    for label, data, wrong, right in (
        ("zip-as-safetensors", torch_zip(), "moss-dragon.safetensors", "moss-dragon.pt"),
        ("zip-as-png", torch_zip(), "moss-dragon.png", "moss-dragon.bin"),
        ("zip-as-zip", torch_zip(), "moss-dragon.zip", "moss-dragon.pth"),
        ("legacy-as-safetensors", legacy_file(), "moss-dragon.safetensors", "moss-dragon.pt"),
        ("legacy-as-text", legacy_file(), "moss-dragon.txt", "moss-dragon.ckpt"),
        ("safetensors-as-png", embedding_file(), "moss-dragon.png", "moss-dragon.safetensors"),
        ("safetensors-as-program", embedding_file(), "moss-dragon.exe", "moss-dragon.sft"),
        ("safetensors-as-python", embedding_file(), "moss-dragon.safetensors.py", "moss-dragon.pti"),
        ("png-as-safetensors", _CARRIER, "moss-dragon.safetensors", "moss-dragon.png"),
        ("png-as-pt", _CARRIER, "moss-dragon.pt", "moss-dragon.png"),
        ("png-as-page", _CARRIER, "moss-dragon.html", "moss-dragon.png"),
    ):
        yield Hostile(label, "U4", data + b"", data, wrong, right)
