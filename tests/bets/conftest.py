"""One small set of questions for all tests of the room."""

from pathlib import Path

import pytest

from monde.bets.files import QuestionSet
from monde.bets.questions.build import MAKERS, build_set


@pytest.fixture(scope="session")
def small_set(tmp_path_factory: pytest.TempPathFactory) -> QuestionSet:
    """Two questions of every family that needs no data of others, and every grade."""
    return build_set(tmp_path_factory.mktemp("sets") / "small", n=2, seed=3, families=tuple(MAKERS))


@pytest.fixture(scope="session")
def few_set(tmp_path_factory: pytest.TempPathFactory) -> QuestionSet:
    """Four questions each of two quick families: choices and plans."""
    folder = tmp_path_factory.mktemp("sets") / "few"
    return build_set(folder, n=4, seed=3, families=("what-if", "how-to-get-there"), grades=("easy",))


@pytest.fixture(scope="session")
def shared_folder(shared_data: Path) -> Path:
    """The folder of puzzles and text tasks; skipped where it is absent."""
    if not (shared_data / "phyre-tasks").is_dir() or not (shared_data / "text-spatial").is_dir():
        pytest.skip("no puzzles and no text tasks")
    return shared_data


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A causal model of two small layers and a tokenizer of bytes, made here and saved."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: k for k, letter in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    told = PreTrainedTokenizerFast(tokenizer_object=tokenizer)
    told.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
    told.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=256,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=2048,
        bos_token_id=0,
        eos_token_id=1,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder
