"""One training run from snapshot to judged candidate: export, SFT, preferences, build, evaluate, gate; or the last two alone.

Every step writes into the run's folder and is passed over when it is already there, so that a run that was killed goes on
where it stopped when it is started again.
"""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from django.conf import settings
from tensorboardX import SummaryWriter

from botcore.dialogue.brief import Brief
from botcore.learning import house_words, runs, versions
from botcore.learning.progress import UNHEARD, Progress, only_counts, steps
from botcore.models import ModelVersion, TrainingRun
from workers.engine import artefacts, load_discriminator, load_encoder, registry
from workers.training import adversarial, compress, preference, rows, search, sft, snapshot
from workers.training.compare import Material, Version, compare
from workers.training.provenance import code_revision, sha256

OPTIONS: Mapping[str, Any] = {
    "epochs": 3,
    "lr": 2e-4,
    "replay": snapshot.REPLAY,
    "department": "",
    "seed": 7,
    "briefs": 300,
    "search_minutes": 0,
    "preference_epochs": 2,
    "preference_lr": 5e-5,
    "adversarial_steps": adversarial.Recipe.steps,
    "layers": compress.Recipe.layers,
    "healing": 2400,
}
"""What a run does where it is told nothing (``botcore.learning.recipes`` has who may be told what). ``briefs`` are those of the
base set in the evaluation; ``layers`` are left out of a compressed model, which heals on ``healing`` replies of the base set
beside the snapshot's."""
BATCH_TOKENS = 1024
COUNTED_SECONDS = 2.0
"""How long the run's row waits at least for the next count of what nothing is measured of."""


@dataclass(frozen=True)
class Place:
    """The folder of a run; what another run of that number left there, in a database that is gone, is thrown away."""

    folder: Path

    @classmethod
    def of(cls, run: TrainingRun) -> Place:
        folder = Path(settings.VAR_DIR) / "training" / str(run.pk)
        owner = json.dumps([run.dataset.content_hash, run.recipe, run.options, run.created_at.isoformat()])
        mark = folder / "run.json"
        if folder.exists() and (not mark.exists() or mark.read_text() != owner):
            shutil.rmtree(folder)
        folder.mkdir(parents=True, exist_ok=True)
        mark.write_text(owner)
        return cls(folder)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def adapter(self, name: str) -> Path:
        return self.folder / name


def carry_out(run: TrainingRun, progress: Progress = UNHEARD) -> ModelVersion:
    """Do a claimed run to its end; the candidate, or what it was to measure, with its report and the gate's verdict.

    Raises what the steps raise; the caller closes the run (``runs.finish``).
    """
    options = {**OPTIONS, **run.options}
    place = Place.of(run)
    watch = _Watch(run, place.folder, progress)
    if run.measures:
        return evaluate(run.measures, files_of(run.measures), options, watch)
    watch.stage("data")
    files = snapshot.export(
        run.dataset,
        place.data,
        replay=options["replay"],
        department=options["department"],
        seed=options["seed"],
    )
    name = f"{run.shop.slug}-{run.pk}"
    made = _compressed if run.recipe == TrainingRun.Recipe.COMPRESS else _taught
    folder = made(run, options, files, place, name, watch)
    watch.stage("building")
    artefact = artefacts.build(folder, settings.DAOGOU_BASE_MODEL or None, Path(settings.VAR_DIR) / "models", watch.say)
    version = _registered(run, name, folder, artefact)
    evaluate(version, files, options, watch)
    return version


def evaluate(
    version: ModelVersion, files: snapshot.Files, options: Mapping[str, Any] = OPTIONS, progress: Progress = UNHEARD
) -> ModelVersion:
    """Compare a version with its rival, keep the report, and let the gate judge it."""
    models = Path(settings.VAR_DIR) / "models"
    rival = versions.rival_of(version)
    sides = [
        artefacts.build(version.place, settings.DAOGOU_BASE_MODEL or None, models),
        registry.current_artefact(rival.place if rival else None),
    ]
    material = _material(files, house_words.of(version.shop), options)
    generators = [registry.serve(artefact) for artefact in sides]
    try:
        own, other = (Version(*side) for side in zip(sides, generators, strict=True))
        report = compare(own, other, material, load_encoder(), load_discriminator(), progress)
    finally:
        for generator in generators:
            generator.close()
    against = {"version": rival.name if rival else versions.SHIPPED}
    versions.judge(version, report | {"against": against, "material": _counted(material)})
    return version


def files_of(version: ModelVersion) -> snapshot.Files:
    """The files that a version's run was made from."""
    if version.run_id is None:
        raise versions.RefusedError(f"{version} was made by no run; register it with the snapshot to test it on.")
    return snapshot.Files(Place(Path(settings.VAR_DIR) / "training" / str(version.run_id)).data)


def _taught(
    run: TrainingRun, options: Mapping[str, Any], files: snapshot.Files, place: Place, name: str, watch: _Watch
) -> Path:
    """The adapter that the recipe ends with; thumbs without replies to imitate are learned from on the base itself."""
    further, start = FURTHER.get(run.recipe), _base_adapter()
    if further is None:
        return _by_replies(options, files, place, name, watch)
    if start is None or rows.read(files.train):
        start = _by_replies(options, files, place, f"{name}-sft", watch)
    watch.stage(run.recipe)
    out = place.adapter(name)
    if not (out / "meta.json").exists():
        script, recipe_of = further
        script.train(recipe_of(start, files, options), out, watch.point)
    return out


def _by_replies(options: Mapping[str, Any], files: snapshot.Files, place: Place, name: str, watch: _Watch) -> Path:
    """The adapter that SFT has taught the snapshot's replies."""
    recipe = sft.Recipe(
        data=files.train,
        start=_base_adapter(),
        base=settings.DAOGOU_BASE_MODEL or None,
        validation=files.validation,
        epochs=options["epochs"],
        lr=options["lr"],
        batch_tokens=BATCH_TOKENS,
        seed=options["seed"],
    )
    taught = place.adapter(name)
    if not (taught / "meta.json").exists():
        recipe = _searched(recipe, options["search_minutes"], place, watch)
        watch.stage("sft")
        sft.train(recipe, taught, watch.point)
    return taught


def _preferred(start: Path, files: snapshot.Files, options: Mapping[str, Any]) -> preference.Recipe:
    return preference.Recipe(
        start=start,
        pairs=files.pairs,
        votes=files.votes,
        base=settings.DAOGOU_BASE_MODEL or None,
        epochs=options["preference_epochs"],
        lr=options["preference_lr"],
        seed=options["seed"],
    )


def _against_discriminator(start: Path, files: snapshot.Files, options: Mapping[str, Any]) -> adversarial.Recipe:
    return adversarial.Recipe(
        start=start,
        data=files.train,
        base=settings.DAOGOU_BASE_MODEL or None,
        steps=options["adversarial_steps"],
        seed=options["seed"],
    )


FURTHER: Mapping[str, tuple[ModuleType, Callable[..., Any]]] = {
    TrainingRun.Recipe.PREFERENCE: (preference, _preferred),
    TrainingRun.Recipe.ADVERSARIAL: (adversarial, _against_discriminator),
}
"""What goes on from the adapter that SFT has taught: the script, and what it is told."""


def _compressed(
    run: TrainingRun, options: Mapping[str, Any], files: snapshot.Files, place: Place, name: str, watch: _Watch
) -> Path:
    """What served the shop when the run started, as a smaller whole model."""
    smaller = place.adapter(name)
    watch.stage("compress")
    if not (smaller / "meta.json").exists():
        recipe = compress.Recipe(
            data=snapshot.for_healing(files, options["healing"], options["seed"]),
            validation=files.validation,
            version=registry.chosen_adapter(run.source.place if run.source else None),
            base=settings.DAOGOU_BASE_MODEL or None,
            layers=options["layers"],
            batch_tokens=BATCH_TOKENS,
            seed=options["seed"],
        )
        compress.train(recipe, smaller, watch.point)
    return smaller


def _searched(recipe: sft.Recipe, minutes: float, place: Place, watch: _Watch) -> sft.Recipe:
    """The recipe with the best hyper-parameters of a search, which is done once in the life of a run."""
    told = place.folder / "search.json"
    if minutes and not told.exists():
        watch.stage("search")
        found = search.search(recipe, place.folder / "search", minutes, watch.point)
        told.write_text(json.dumps(search.as_json(found), indent=1) + "\n")
    return replace(recipe, **json.loads(told.read_text())["best"]) if told.exists() else recipe


def _base_adapter() -> Path | None:
    """Where every run starts: what ships, never the last version, so that mistakes do not pile up."""
    return registry.chosen_adapter(None)


def _registered(run: TrainingRun, name: str, folder: Path, artefact: artefacts.Artefact) -> ModelVersion:
    built = json.loads((artefact.folder / "meta.json").read_text())
    version, _ = ModelVersion.objects.get_or_create(
        shop=run.shop,
        name=name,
        defaults={
            "recipe": run.recipe,
            "department": run.options.get("department", ""),
            "run": run,
            "dataset": run.dataset,
            "parent": run.source,
            "folder": str(folder.relative_to(settings.VAR_DIR)),
            "artefact": artefact.version,
            "digests": {"weights": sha256(artefacts.trained_weights(folder)), **built["outputs"]},
            "code": code_revision(),
        },
    )
    return version


def _material(files: snapshot.Files, own_words: Mapping[str, str], options: Mapping[str, Any]) -> Material:
    """Briefs as the shop's own are served: with its words of today."""
    held_out, replies = rows.read(files.heldout), rows.read(files.test)
    chosen = random.Random(options["seed"]).sample(held_out, min(len(held_out), options["briefs"]))
    asked = [*replies, *chosen]
    briefs = [replace(Brief.from_json(row["brief"]), house_words=own_words) for row in asked]
    humans = [str(row["reply"]) for row in asked]
    return Material(briefs, humans, replies, rows.read(files.test_pairs))


def _counted(material: Material) -> dict[str, int]:
    return {"briefs": len(material.briefs), "replies": len(material.replies), "pairs": len(material.pairs)}


class _Watch:
    """Tells the run's row, TensorBoard and whoever started it what goes on."""

    def __init__(self, run: TrainingRun, folder: Path, progress: Progress) -> None:
        self._run, self._progress = run, progress
        self._board = SummaryWriter(str(folder / "tensorboard"))
        self._next_count = 0.0

    def stage(self, name: str) -> None:
        runs.tell(self._run, name)
        self._progress.stage(name)

    def point(self, point: Mapping[str, Any]) -> None:
        self._progress.point(point)
        if only_counts(point):
            self._count(point)
            return
        runs.tell(self._run, point=point)
        place = f"{self._run.stage}/trial {point['trial']}" if "trial" in point else self._run.stage
        for measure, value in point.items():
            if measure not in ("step", "of", "trial") and isinstance(value, int | float):
                self._board.add_scalar(f"{place}/{measure}", value, steps(point)[0])
        self._board.flush()

    def say(self, line: str) -> None:
        self._progress.say(line)

    def _count(self, point: Mapping[str, Any]) -> None:
        step, of = steps(point)
        if step == of or time.monotonic() >= self._next_count:
            self._next_count = time.monotonic() + COUNTED_SECONDS
            runs.tell(self._run, point=point)
