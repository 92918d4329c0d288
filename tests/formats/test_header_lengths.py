"""A header of any length is a header: the byte it begins with may mean something to a pickle machine."""

import pytest

from hub.formats import read, write_canonical
from tests import samples

TENSORS = {"emb_params": samples.tensor(8, 768)}


@pytest.mark.parametrize("padding", range(0, 256, 8))
def test_no_length_of_a_header_makes_a_good_file_a_pickle(padding: int) -> None:
    file = write_canonical(TENSORS, family="sd1", trigger="moss-dragon", metadata={"note": "x" * padding})
    assert read(file, filename="moss-dragon.safetensors").tensors == TENSORS


@pytest.mark.parametrize("length", range(64, 320))
def test_no_length_of_a_foreign_header_makes_a_good_file_a_pickle(length: int) -> None:
    header = '{"emb_params":{"dtype":"F32","shape":[8,768],"data_offsets":[0,24576]}}'
    file = samples.raw_file(header.ljust(length), TENSORS["emb_params"].data)
    assert read(file, filename="moss-dragon.safetensors").tensors == TENSORS
