"""How well a model writes: sampled replies on held-out briefs, judged by the verifier and by a second auditor.

    python -m workers.training.evaluate --data var/dialogues/heldout.jsonl [--adapter FOLDER] [--write]

The report has the tuned model beside the untuned base, sampled alike through the serving engine. ``--write`` puts it
into the adapter's ``meta.json``.

The verifier that serving uses decides what is accepted. The auditor goes the other way round and shares no code with
it: it looks for any attribute value of any product kind, number or price word that the brief does not hold. Values
that are everyday words as well ("down", "work") are left to the verifier.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from botcore.dialogue.brief import TAG, Brief, render
from botcore.dialogue.compose import ranked
from botcore.dialogue.ports import Discriminator, Encoder, Generator, Sample
from botcore.dialogue.state import Act
from botcore.dialogue.verify import Verdict, verify
from botcore.dialogue.vocabulary import neutral_words, prompt_of
from workers.training.dialogues.contexts import load_world
from workers.training.dialogues.grammar import bare
from workers.training.rows import read

SAMPLES = 4
AT_ONCE = 8
SECONDS = 60.0
"""Per brief: an evaluation judges words, not speed."""
NUMBERS = frozenset(
    "three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty seventy eighty ninety "
    "hundred thousand half double percent dollar dollars euro euros pounds cents".split()
)


@dataclass(frozen=True)
class Written:
    """One held-out brief with what the model wrote for it. ``chosen`` is the text that would be sent, "" for none."""

    brief: Brief
    samples: tuple[Sample, ...]
    verdicts: tuple[Verdict, ...]
    chosen: str


@dataclass(frozen=True)
class Report:
    """Shares between 0 and 1. ``unsupported_before`` and ``audited_before`` are over all samples, ``_after`` over sent
    texts; ``accepted`` is the share of briefs that the model answered itself; length in words, tags counting one.
    ``found_false`` are sent texts in which the audit finds claims, with these, the first of them."""

    model: str
    briefs: int
    samples: int
    accepted: float
    accepted_samples: float
    unsupported_before: float
    unsupported_after: float
    audited_before: float
    audited_after: float
    distinct_2: float
    mean_length: float
    refused_for: dict[str, int]
    accepted_by_act: dict[str, float]
    seconds: float
    found_false: list[str]


TOLD = 5
"""Texts found false that a report tells."""


class Auditor:
    """Finds claims by the values that products of any kind may have; says nothing about words it does not know."""

    def __init__(self) -> None:
        world = load_world()
        values = {bare(value) for kind in world.kinds for listed in kind.values.values() for value in listed}
        values -= {word for act in Act for word in neutral_words(act)}
        self._values = re.compile(rf"\b(?:{'|'.join(re.escape(v) for v in sorted(values, key=len, reverse=True))})\b")

    def finds(self, text: str, brief: Brief) -> list[str]:
        """Claims in a reply that its brief does not hold."""
        said = TAG.sub(" ", text).lower()
        told = render(Brief(**{**vars(brief), "customer": ""})).lower()
        claims = [value for value in self._values.findall(said) if not re.search(rf"\b{re.escape(value)}", told)]
        claims += [word for word in re.findall(r"[a-z]+", said) if word in NUMBERS and word not in told]
        return claims + [tag for tag in TAG.findall(text) if tag not in brief.tags()]


def write_all(
    generator: Generator,
    encoder: Encoder,
    briefs: Sequence[Brief],
    discriminator: Discriminator | None = None,
    samples: int = SAMPLES,
    seconds: float = SECONDS,
    watch: Callable[[int], None] = lambda done: None,
) -> list[Written]:
    """Sample every brief, several at a time as serving does; ``watch`` is told how many are done, in this thread."""

    def one(numbered: tuple[int, Brief]) -> Written:
        seed, brief = numbered
        written = generator.write(prompt_of(brief), samples=samples, seed=seed, deadline=time.monotonic() + seconds)
        chosen = next((draft.text for draft in ranked(written, brief, encoder, discriminator) if draft.chosen), "")
        return Written(brief, tuple(written), tuple(verify(sample.text, brief) for sample in written), chosen)

    all_written = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for written in pool.map(one, enumerate(briefs)):
            all_written.append(written)
            watch(len(all_written))
    return all_written


def report(model: str, written: Sequence[Written], auditor: Auditor, seconds: float) -> Report:
    """The numbers of one model."""
    samples = [(s.text, v, w.brief) for w in written for s, v in zip(w.samples, w.verdicts, strict=True)]
    sent = [(w.chosen, w.brief) for w in written if w.chosen]
    acts = {w.brief.act for w in written}
    audited = [(text, auditor.finds(text, brief)) for text, brief in sent]
    return Report(
        model=model,
        briefs=len(written),
        samples=len(samples),
        accepted=_share(bool(w.chosen) for w in written),
        accepted_samples=_share(v.accepted for _, v, _ in samples),
        unsupported_before=_share(v.unsupported for _, v, _ in samples),
        unsupported_after=_share(verify(text, brief).unsupported for text, brief in sent),
        audited_before=_share(bool(auditor.finds(text, brief)) for text, _, brief in samples),
        audited_after=_share(bool(claims) for _, claims in audited),
        distinct_2=distinct([text for text, _ in sent] or [text for text, _, _ in samples], 2),
        mean_length=round(statistics.fmean([len(text.split()) for text, _, _ in samples] or [0]), 1),
        refused_for=dict(_reasons(v for _, v, _ in samples).most_common(8)),
        accepted_by_act={a: _share(bool(w.chosen) for w in written if w.brief.act == a) for a in sorted(acts)},
        seconds=round(seconds, 1),
        found_false=[f"{text} ({', '.join(claims)})" for text, claims in audited if claims][:TOLD],
    )


def distinct(texts: Sequence[str], n: int) -> float:
    """Distinct-n (Li et al. 2016): different n-grams over all n-grams of the texts."""
    grams = [
        tuple(words[i : i + n]) for text in texts for words in [text.lower().split()] for i in range(len(words) - n + 1)
    ]
    return round(len(set(grams)) / len(grams), 4) if grams else 0.0


def _share(flags: Iterable[bool]) -> float:
    listed = list(flags)
    return round(sum(listed) / len(listed), 4) if listed else 0.0


def _reasons(verdicts: Iterable[Verdict]) -> Counter[str]:
    return Counter(re.sub(r'"[^"]*"|\[[^\]]*\]', "…", problem) for v in verdicts for problem in v.problems)


def table(reports: Sequence[Report]) -> str:
    """The reports side by side."""
    names = [name for name in asdict(reports[0]) if name not in ("refused_for", "accepted_by_act", "found_false")]
    rows = [[name.replace("_", " "), *(str(asdict(r)[name]) for r in reports)] for name in names]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for r in reports:
        lines += [f"{r.model} refused for: {r.refused_for}", f"{r.model} accepted by act: {r.accepted_by_act}"]
        lines += [f"{r.model} false: {text}" for text in r.found_false]
    return "\n".join(lines)


def evaluate(data: Path, adapter: Path | None, base: bool) -> list[Report]:
    """Reports of the adapter (None: the shipped one) and, with ``base``, of the base model without any."""
    from django.conf import settings

    from workers.engine.artefacts import build
    from workers.engine.openvino_engine import OpenVinoGenerator
    from workers.engine.registry import SHIPPED_ADAPTER, load_discriminator, load_encoder

    briefs = [Brief.from_json(row["brief"]) for row in read(data)]
    auditor, reports = Auditor(), []
    for folder in [adapter or SHIPPED_ADAPTER, *([None] if base else [])]:
        artefact = build(folder, settings.DAOGOU_BASE_MODEL or None, settings.VAR_DIR / "models")
        generator = OpenVinoGenerator(artefact)
        started = time.monotonic()
        written = write_all(generator, load_encoder(), briefs, load_discriminator())
        reports.append(report(artefact.version, written, auditor, time.monotonic() - started))
        generator.close()
    return reports


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="JSONL of held-out examples")
    parser.add_argument("--adapter", type=Path, help="adapter folder; without it the shipped one")
    parser.add_argument("--no-base", action="store_true", help="leave the untuned base out")
    parser.add_argument("--write", action="store_true", help="put the report into the adapter's meta.json")
    options = parser.parse_args()
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "botcore.settings")
    django.setup()
    reports = evaluate(options.data, options.adapter, not options.no_base)
    print(table(reports))  # noqa: T201
    if options.write:
        from workers.engine.registry import SHIPPED_ADAPTER

        path = (options.adapter or SHIPPED_ADAPTER) / "meta.json"
        meta = json.loads(path.read_text())
        meta["evaluation"] = [asdict(r) for r in reports]
        path.write_text(json.dumps(meta, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
