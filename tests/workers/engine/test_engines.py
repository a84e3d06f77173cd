"""Both engines: the same tokens as plain transformers, the Generator's promises, and batches shared by threads."""

from __future__ import annotations

import json
import math
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from botcore.dialogue.brief import Brief, ItemFacts
from botcore.dialogue.ports import Messages, Prompt
from botcore.dialogue.vocabulary import prompt_of
from workers.engine import constraint
from workers.engine.artefacts import Artefact
from workers.engine.openvino_engine import EXACT, EngineError, OpenVinoGenerator
from workers.engine.openvino_host import Host
from workers.engine.transformers_engine import TransformersGenerator, load_model
from workers.engine.writing import Completion, Sampling, load_tokenizer, prompt_ids, to_sample

ARCHITECTURES = ("llama", "qwen2", "qwen3")
GREEDY = Sampling(temperature=0, max_new_tokens=24)
PROMPTS: list[Messages] = [
    [{"role": "user", "content": text}] for text in ("a light green jacket", "is [A.name] warm?", "hood")
]
WORDS = frozenset("the green jacket is light and warm costs has a hood would you like it".split())
LANGUAGE = constraint.pattern(Prompt([], WORDS, ("A.name", "A.price")))

Small = Callable[[str], Artefact]


def soon(seconds: float = 60) -> float:
    return time.monotonic() + seconds


def plain_greedy(model: Any, prompt: list[int], stops: list[int]) -> list[int]:
    ids = torch.tensor([prompt])
    output = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=GREEDY.max_new_tokens,
        do_sample=False,
        eos_token_id=stops,
        pad_token_id=stops[0],
    )
    tokens = output[0, len(prompt) :].tolist()
    return tokens[:-1] if tokens[-1] in stops else tokens


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_openvino_writes_the_tokens_of_plain_transformers(architecture: str, small_artefact: Small) -> None:
    artefact = small_artefact(architecture)
    tokenizer = load_tokenizer(artefact.hf)
    model = AutoModelForCausalLM.from_pretrained(artefact.hf, dtype=torch.float32)
    generator = OpenVinoGenerator(artefact, GREEDY, constrained=False, properties=EXACT)
    try:
        for prompt in (prompt_ids(tokenizer, messages) for messages in PROMPTS):
            (completion,) = generator.complete(prompt, "", [0], soon())
            assert completion.ids == plain_greedy(model, prompt, [tokenizer.eos_token_id])
    finally:
        generator.close()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_shared_batch_writes_the_tokens_of_plain_transformers_one_at_a_time(
    architecture: str, small_artefact: Small
) -> None:
    generator = TransformersGenerator(small_artefact(architecture), GREEDY, constrained=False, eight_bit=False)
    try:
        prompts = [prompt_ids(generator.tokenizer, messages) for messages in PROMPTS]
        with ThreadPoolExecutor(len(prompts)) as pool:
            together = list(pool.map(lambda prompt: generator.complete(prompt, "", [0], soon()), prompts))
        for prompt, (completion,) in zip(prompts, together, strict=True):
            assert completion.ids == plain_greedy(generator._model, prompt, [generator.tokenizer.eos_token_id])
    finally:
        generator.close()


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_what_rounding_costs_most_is_not_rounded(architecture: str, small_artefact: Small) -> None:
    """Values and what turns states into scores stay as they are; every other matrix rounds inputs below a half alone."""
    model = load_model(small_artefact(architecture).hf, "cpu", eight_bit=True)
    linear = {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    rounded = {name.rpartition(".")[2] for name, module in linear.items() if module.weight.dtype == torch.int8}
    whole = {name.rpartition(".")[2] for name, module in linear.items() if module.weight.dtype == torch.float32}
    assert whole == {"lm_head", "v_proj"}
    assert rounded == {"q_proj", "k_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    assert {linear[name].state.threshold for name in linear if linear[name].weight.dtype == torch.int8} == {0.5}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_eight_bit_weights_write_the_tokens_of_plain_generation_with_them(
    architecture: str, small_artefact: Small
) -> None:
    """Turn by turn: LLM.int8 chooses its outlier columns over the whole batch, so a batch rounds differently."""
    generator = TransformersGenerator(small_artefact(architecture), GREEDY, constrained=False)
    try:
        assert generator._model.model.layers[0].mlp.up_proj.weight.dtype == torch.int8
        assert generator.info.bits == 8
        for prompt in (prompt_ids(generator.tokenizer, messages) for messages in PROMPTS):
            (completion,) = generator.complete(prompt, "", [0], soon())
            assert completion.ids == plain_greedy(generator._model, prompt, [generator.tokenizer.eos_token_id])
    finally:
        generator.close()


@pytest.fixture(scope="module")
def small_transformers(small_artefact: Small) -> Iterator[TransformersGenerator]:
    generator = TransformersGenerator(small_artefact("llama"), Sampling(temperature=1.5, max_new_tokens=32))
    yield generator
    generator.close()


@pytest.fixture(scope="module")
def small_openvino(small_artefact: Small) -> Iterator[OpenVinoGenerator]:
    generator = OpenVinoGenerator(small_artefact("llama"), Sampling(temperature=1.5, max_new_tokens=32))
    yield generator
    generator.close()


@pytest.fixture(params=["small_transformers", "small_openvino"])
def generator(request: pytest.FixtureRequest) -> OpenVinoGenerator | TransformersGenerator:
    chosen: OpenVinoGenerator | TransformersGenerator = request.getfixturevalue(request.param)
    return chosen


Engine = OpenVinoGenerator | TransformersGenerator


def completions(
    generator: Engine, seeds: range, text: str = "how much is it", language: str = LANGUAGE
) -> list[Completion]:
    prompt = prompt_ids(generator.tokenizer, [{"role": "user", "content": text}])
    return generator.complete(prompt, language, list(seeds), soon())


def test_random_models_write_nothing_but_the_language(generator: Engine) -> None:
    written = [
        completion
        for text in ("how much is it", "$ 5", "[B.price]")
        for completion in completions(generator, range(24), text)
    ]
    texts = [(generator.tokenizer.decode(completion.ids), completion.ended) for completion in written]
    assert sum(len(text) for text, _ in texts) > 1000
    for text, ended in texts:
        # A random model seldom ends; what the length limit cut must be the beginning of a reply.
        assert re.fullmatch(LANGUAGE, text) if ended else not re.search(r"[\d$€£¥<>|]|\[B", text), text
        assert ended or {*re.findall(r"[a-z]+", text.lower())[:-1]} <= {*WORDS, "s", "a", "name", "price"}, text


def test_turns_of_one_batch_keep_each_to_its_own_language(generator: Engine) -> None:
    languages = [constraint.pattern(Prompt([], frozenset({word}))) for word in ("light", "warm")]
    with ThreadPoolExecutor(2) as pool:
        turns = pool.map(lambda language: completions(generator, range(4), language=language), languages)
    for word, turn in zip(("light", "warm"), turns, strict=True):
        letters = {letter for completion in turn for letter in generator.tokenizer.decode(completion.ids).lower()}
        assert set(word) <= letters | set("s")
        assert not letters & (set("lightwarm") - set(word) - set("s"))


def test_both_engines_report_the_models_own_log_probability(small_artefact: Small) -> None:
    """Whatever temperature, nucleus and language made of it."""
    artefact = small_artefact("llama")
    model = AutoModelForCausalLM.from_pretrained(artefact.hf, dtype=torch.float32)
    sampling = Sampling(max_new_tokens=12)
    for engine in (
        TransformersGenerator(artefact, sampling, eight_bit=False),
        OpenVinoGenerator(artefact, sampling, properties=EXACT),
    ):
        try:
            prompt = prompt_ids(engine.tokenizer, PROMPTS[0])
            for completion in engine.complete(prompt, LANGUAGE, [0, 1, 2], soon()):
                drawn = completion.ids + [engine.tokenizer.eos_token_id] * completion.ended
                logits = model(torch.tensor([prompt + drawn])).logits[0, len(prompt) - 1 : -1]
                expected = logits.log_softmax(-1).gather(1, torch.tensor(drawn)[:, None]).sum().item()
                assert completion.log_probability == pytest.approx(expected, rel=1e-3)
        finally:
            engine.close()


def test_completions_are_drawn_as_often_as_is_told(small_transformers: TransformersGenerator) -> None:
    language, draws = "(Light|Warm|The (green )*jacket)[.]", 480
    prompt = prompt_ids(small_transformers.tokenizer, PROMPTS[0])
    drawn = small_transformers.complete(prompt, language, list(range(draws)), soon())
    often = Counter((*one.ids, one.ended) for one in drawn)
    kinds = list({(*one.ids, one.ended): one for one in drawn}.items())
    told = small_transformers.log_probabilities(prompt, language, [one for _, one in kinds])
    assert len(kinds) > 5 and sum(map(math.exp, told)) <= 1.001
    for (kind, _), probability in zip(kinds, map(math.exp, told), strict=True):
        error = math.sqrt(probability * (1 - probability) / draws)
        assert often[kind] / draws == pytest.approx(probability, abs=4 * error + 1 / draws)


def test_a_reply_that_cannot_go_on_ends(generator: Engine) -> None:
    for completion in completions(generator, range(4), language="Light[.]"):
        assert (generator.tokenizer.decode(completion.ids), completion.ended) == ("Light.", True)


def tokens(written: list[Completion]) -> list[list[int]]:
    return [completion.ids for completion in written]


def test_same_seed_same_tokens_and_another_seed_others(generator: Engine) -> None:
    first = completions(generator, range(4))
    assert tokens(completions(generator, range(4))) == tokens(first)
    assert tokens(completions(generator, range(4, 8))) != tokens(first)
    assert len({tuple(completion.ids) for completion in first}) > 1


def test_a_sample_does_not_depend_on_the_others_of_its_batch(generator: Engine) -> None:
    assert tokens(completions(generator, range(2, 3))) == tokens(completions(generator, range(4))[2:3])


def test_turns_of_many_threads_all_come_back_each_with_its_own_samples(generator: Engine) -> None:
    with ThreadPoolExecutor(6) as pool:
        together = list(pool.map(lambda seed: completions(generator, range(seed, seed + 4)), range(6)))
    assert [len(turn) for turn in together] == [4] * 6
    if isinstance(generator, OpenVinoGenerator):  # LLM.int8 picks its outlier columns per batch
        assert tokens(together[3]) == tokens(completions(generator, range(3, 7)))


def test_concurrent_turns_meet_in_one_generate_call(
    small_transformers: TransformersGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = []
    generate = small_transformers._model.generate
    monkeypatch.setattr(
        small_transformers._model, "generate", lambda ids, **options: rows.append(len(ids)) or generate(ids, **options)
    )
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda seed: completions(small_transformers, range(seed, seed + 4)), range(6)))
    assert sum(rows) == 24
    assert max(rows) > 4


def test_a_turn_joins_the_running_batch_of_another(small_artefact: Small) -> None:
    """Two turns take hardly more steps together than one alone: 32 tokens each, the second coming ten steps later."""
    answers: list[bytes] = []
    artefact = small_artefact("llama")
    order = {
        "gguf": str(artefact.gguf),
        "sampling": {"temperature": 0, "top_p": 1, "max_new_tokens": 32},
        "stops": [10_000],
        "properties": dict(EXACT),
        "max_sequences": 8,
        "cache_blocks": 64,
    }
    host = Host(order, SimpleNamespace(write=answers.append, flush=lambda: None))
    host.take({"turn": 0, "prompt": [5, 6, 7], "language": "", "seeds": [1, 2]})
    steps = 0
    while host.busy:
        host.step()
        steps += 1
        if steps == 10:
            host.take({"turn": 1, "prompt": [8, 9], "language": "", "seeds": [1, 2]})
    assert sorted(json.loads(answer)["turn"] for answer in answers) == [0, 0, 1, 1]
    assert steps <= 10 + 32 + 3


def test_deadline_in_the_past_returns_nothing_at_once_and_the_engine_goes_on(generator: Engine) -> None:
    started = time.monotonic()
    prompt = Prompt([{"role": "user", "content": "hello"}], WORDS)
    assert generator.write(prompt, samples=4, seed=1, deadline=started - 1) == []
    assert time.monotonic() - started < 0.5
    assert len(completions(generator, range(4))) == 4


def test_a_restarted_process_takes_over_after_a_crash(small_artefact: Small) -> None:
    generator = OpenVinoGenerator(small_artefact("llama"), Sampling(max_new_tokens=8))
    try:
        before = completions(generator, range(2))
        generator._host._process.kill()
        generator._host._process.wait()
        deadline = soon(5)
        while generator._host.alive and time.monotonic() < deadline:
            time.sleep(0.01)
        assert tokens(completions(generator, range(2))) == tokens(before)
    finally:
        generator.close()


def test_a_call_waiting_when_the_process_dies_hears_of_it(small_artefact: Small) -> None:
    generator = OpenVinoGenerator(small_artefact("llama"), Sampling(max_new_tokens=400), constrained=False)
    try:
        threading.Timer(0.05, generator._host._process.kill).start()
        with pytest.raises(EngineError):
            for seed in range(50):
                completions(generator, range(seed, seed + 32), language="")
                generator._host.alive = True
    finally:
        generator.close()


def test_a_reply_cut_by_the_length_limit_keeps_its_whole_sentences(small_artefact: Small) -> None:
    tokenizer = load_tokenizer(small_artefact("llama").hf)

    def text(reply: str, *, ended: bool) -> str | None:
        sample = to_sample(tokenizer, Completion(tokenizer(reply)["input_ids"], ended))
        return sample and sample.text

    assert text("It is warm. It has [A.na", ended=False) == "It is warm."
    assert text("It is warm. It has [A.", ended=False) == "It is warm."
    assert text("It is warm and", ended=False) is None
    assert text(" It  is warm", ended=True) == "It is warm"
    assert text("Warm! 很好。还有", ended=False) == "Warm! 很好。"
    assert text("Like e.g.this", ended=False) is None


@pytest.mark.slow
def test_the_bundled_model_writes_usable_samples_in_concurrent_turns_before_their_deadline(
    openvino: OpenVinoGenerator,
) -> None:
    item = ItemFacts("A", "jacket", {"color": "green"}, {"name": "", "price": ""})
    prompt = prompt_of(Brief("recommend", "a green jacket under $25 please", ("jacket", "green"), items=(item,)))
    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda seed: openvino.write(prompt, samples=4, seed=seed, deadline=soon()), range(4)))
    samples = [sample for reply in replies for sample in reply]
    assert all(replies), "a turn got no usable sample"  # how many of four end in time differs between processors
    for sample in samples:
        assert not re.search(r"[\d$€£¥]|\[(?!A\.(?:name|price)\])", sample.text)
        assert sample.text == " ".join(sample.text.split())
        assert 0 < sample.tokens <= Sampling().max_new_tokens
    started = time.monotonic()
    openvino.write(prompt, samples=4, seed=9, deadline=started + 0.1)
    assert time.monotonic() - started < 0.5
