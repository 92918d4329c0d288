"""Does the judge see a word that was loaded into the base? The whole measurement, with few pictures."""

import pytest
from diffusers import StableDiffusionPipeline

from trainer.tiny import exam, judge, words
from trainer.tiny.__main__ import BUNDLED
from trainer.tiny.sets import CONCEPTS

FINN = next(concept for concept in CONCEPTS if concept.name == "finn-fish")
COUNT = 4


@pytest.fixture(scope="module")
def pipeline() -> StableDiffusionPipeline:
    return exam.load_pipeline(BUNDLED / "base")


@pytest.fixture
def hasty(tmp_path, monkeypatch) -> judge.Judge:
    """A judge who went to few lessons: it knows one ground from another, and no shapes yet."""
    monkeypatch.setattr(judge, "LESSONS", 480)
    return judge.train_judge(tmp_path)


def test_a_word_is_measured_with_fresh_pictures_and_taken_out_again(pipeline, hasty):
    known = len(pipeline.tokenizer)
    embedding = BUNDLED / "catalogue" / FINN.name / "embedding.safetensors"
    seen = words.recognise(pipeline, hasty, FINN, embedding, seed=1, count=COUNT)
    assert seen.count == COUNT
    assert all(0 <= hits <= COUNT for hits in (seen.word, seen.initializer, seen.neither))
    assert seen.ground >= COUNT // 2
    assert len(pipeline.tokenizer) == known
