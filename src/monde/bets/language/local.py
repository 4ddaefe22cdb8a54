"""A causal language model in a local folder, through transformers: options by likelihood, all else written out."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from monde.bets.language.parsing import LETTERS, to_answer
from monde.bets.language.prompting import PLAINLY, SYSTEM, question_text
from monde.bets.types import Answer, Cost, Question
from monde.errors import StoreError, UsageError
from monde.store import digest_json, sha256_file
from monde.training import choose_device

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

WRITTEN_TOKENS = 256
"""Most tokens that are written where the answer is no option."""


class LocalModel:
    """A model folder: config, tokenizer and safetensors. Nothing is downloaded, no code of the folder runs, no pickle.

    Args:
        folder: The folder.
        name: Its name in the verdict; by default the folder's.
        device: Where it runs.

    Raises:
        UsageError: transformers is not installed.
        StoreError: The folder holds no such model.
    """

    def __init__(self, folder: Path, name: str | None = None, device: str = "auto") -> None:
        if not (folder / "config.json").exists() or not list(folder.glob("*.safetensors")):
            expected = "config.json, a tokenizer and *.safetensors"
            raise StoreError(f"{folder} is no folder of a language model", expected=expected)
        try:
            from transformers import AutoModelForCausalLM, AutoTokenizer
        except ImportError as error:
            raise UsageError("local models need transformers", remedy='pip install "monde[backbones]"') from error
        self._device = choose_device(device)
        try:
            self._tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, use_safetensors=True
            )
        except (OSError, ValueError, KeyError) as error:
            raise StoreError(f"{folder} holds no causal language model", got=str(error).splitlines()[0]) from error
        self._model = torch.nn.Module.to(model, self._device).eval()
        self._name = name or folder.name
        self._hash = digest_json([sha256_file(path) for path in sorted(folder.glob("*.safetensors"))])

    @property
    def name(self) -> str:
        """Its name in the verdict."""
        return self._name

    @property
    def identity(self) -> Mapping[str, object]:
        """Hash of its weights."""
        return {"contestant": "local language model", "name": self._name, "weights": self._hash}

    @torch.no_grad()
    def answer(self, question: Question) -> Answer:
        """The likeliest letter, its share of the likelihood as confidence; numbers and plans are written and read."""
        began = time.perf_counter()
        prompt = f"{SYSTEM} {PLAINLY}\n\n{question_text(question)}\n"
        longest = getattr(self._model.config, "max_position_embeddings", None)
        tokens = self._tokens(prompt + '{"answer": ' + ('"' if question.kind == "choice" else ""))
        room = WRITTEN_TOKENS if question.kind != "choice" else 4
        if isinstance(longest, int) and tokens.shape[1] + room > longest:
            note = f"{tokens.shape[1]} tokens do not fit into {longest}"
            return Answer(question=question.id, failure="cannot-read", note=note)
        if question.kind == "choice":
            share = self._letters(tokens, len(question.options))
            best = int(share.argmax())
            return Answer(
                question=question.id,
                choice=best,
                confidence=float(share[best].clamp(0, 1)),
                seconds=time.perf_counter() - began,
                cost=Cost(tokens_in=tokens.shape[1], tokens_out=1),
            )
        written = self._model.generate(
            tokens,
            attention_mask=torch.ones_like(tokens),
            max_new_tokens=WRITTEN_TOKENS,
            do_sample=False,
            pad_token_id=0,
        )[0, tokens.shape[1] :]
        raw = '{"answer": ' + str(self._tokenizer.decode(written, skip_special_tokens=True))
        cost = Cost(tokens_in=tokens.shape[1], tokens_out=len(written))
        return to_answer(question, raw, time.perf_counter() - began, cost)

    def _letters(self, tokens: Tensor, options: int) -> Tensor:
        """Probabilities of the options' letters, among one another."""
        logits = self._model(tokens).logits[0, -1].float()
        return logits[self._first_tokens(options)].softmax(-1).cpu()

    def _first_tokens(self, options: int) -> Sequence[int]:
        return [int(self._tokens(LETTERS[k])[0, -1]) for k in range(options)]

    def _tokens(self, text: str) -> Tensor:
        return self._tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids.to(self._device)
