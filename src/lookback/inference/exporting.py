"""A trained model as one folder for other programs: Keras and ONNX, settings, predictions and scores."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import yaml

from lookback.errors import ConfigError
from lookback.experiment import bundle, trial
from lookback.experiment.bundle import Bundle
from lookback.inference import loading, predicting
from lookback.inference.arguments import Export
from lookback.tracking import store, sweep_runs

FOLDER = "exports"


def export(wanted: Export, root: Path) -> None:
    """Write the folder; as a whole, or not at all.

    Raises:
        LookbackError: there is no such run, the folder is there already, or the model is not exported as ONNX.
    """
    opened = store.open_store(wanted.uri, root)
    run, settings, model_id = loading.named(opened, wanted)
    network = settings.entry.network
    if network and wanted.onnx:
        from lookback.models.networks import interchange

        interchange.check_installed()
    folder = _folder(wanted, f"{settings.task.name}-{settings.model.name}-{run.id[:8]}", root)
    predictions = sweep_runs.predictions(opened, run.id)
    data = trial.data_of(settings, root) if network and wanted.onnx else None
    model_id = model_id or predicting.of_run(opened, run, settings, wanted, wanted.final, root)
    model = loading.logged(opened, model_id, f"run {run.id}", wanted.device, wanted.threads)

    unfinished = folder.with_name(f".{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)  # of a process that was killed here
    unfinished.mkdir(parents=True)
    try:
        far = None
        shutil.copytree(model.folder, unfinished / bundle.NAME)
        if network:
            shutil.copy(model.folder / "model.keras", unfinished)
        if data is not None:
            far = interchange.write(model.model.model, data.test, unfinished / "model.onnx", run.name)
        held = json.loads(settings.model_dump_json(exclude={"tracking", "force"}))
        (unfinished / "settings.yaml").write_text(yaml.safe_dump(held, sort_keys=False, allow_unicode=True), "utf-8")
        predictions.to_csv(unfinished / "predictions.csv", index=False)
        facts = {"run": run.id} | asdict(model.origin) | {"network": network, "onnx_largest_difference": far}
        (unfinished / "export.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False), "utf-8")
        (unfinished / "README.md").write_text("\n".join(_readme(model, run.id, far)), "utf-8")
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    print(f"{model.origin.name}, fitted on {model.origin.parts}: {', '.join(sorted(p.name for p in folder.iterdir()))}")
    if far is not None:
        print(f"onnxruntime and Keras differ by {far:.3g} at most on the last samples of test")
    elif not network:
        print("a baseline is no network: its numbers are in bundle/, and there is neither model.keras nor model.onnx")
    print(f"written: {folder}")


def _folder(wanted: Export, name: str, root: Path) -> Path:
    folder = Path(wanted.out) if wanted.out else root / FOLDER / name
    if folder.exists():
        raise ConfigError("CONFIG-VALUE", f"out: {folder} is there already; remove it, or set out")
    if wanted.out and not folder.absolute().parent.is_dir():
        raise ConfigError("CONFIG-VALUE", f"out: there is no folder {folder.parent}; make it first")
    return folder


def _readme(model: Bundle, run_id: str, far: float | None) -> Iterator[str]:
    """What is in it, in Markdown."""
    origin, inputs = model.origin, ", ".join(model.settings.problem.inputs(model.settings.task))
    yield f"# {origin.name}\n"
    yield f"Run `{run_id}`, fitted on {origin.parts} ({origin.rows:,} samples). What it was made with: `export.json`.\n"
    yield "| score | value |\n|---|---:|"
    yield from (f"| {name} | {value:.6g} |" for name, value in origin.scores.items())
    yield "\nThe scores, and `predictions.csv`, are those of the model that had not seen test."
    yield f"`bundle/` is what Lookback itself reads; it takes files with the columns: {inputs}.\n"
    if not model.settings.entry.network:
        yield "This is a baseline: its numbers are in `bundle/`, and there is neither `model.keras` nor `model.onnx`."
        return
    yield "`model.keras` loads in any Keras 3 without Lookback: `keras.saving.load_model(...)`, `predict_on_batch`.\n"
    if far is not None:
        yield (
            f"`model.onnx` takes and gives the same arrays. On the last samples of test, onnxruntime and Keras differ "
            f"by {far:.3g} at most.\n"
        )
        yield "```python\nimport onnxruntime\n\nsession = onnxruntime.InferenceSession('model.onnx')"
        yield "inputs = session.get_inputs()  # names, shapes and types"
        yield "session.run(None, {inputs[0].name: windows})\n```"
