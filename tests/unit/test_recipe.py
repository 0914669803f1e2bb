"""What a recipe may say, and in which words a mistake in it is told."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from xlmkit.cli.app import app
from xlmkit.core.config import load_config, to_yaml
from xlmkit.core.errors import UserError
from xlmkit.core.files import read_json
from xlmkit.recipe import PretrainedModel, Recipe
from xlmkit.tasks.kinds import KINDS

ROOT = Path(__file__).parents[2]
_ALL = sorted((ROOT / "recipes").rglob("*.yaml"))
RECIPES = [path for path in _ALL if not path.name.startswith("xnli-")]
"""Those that take any small texts; for XNLI's own files see test_xnli_recipe.py."""


def load(project: Path, *overrides: str) -> Recipe:
    return load_config(project / "recipe.yaml", Recipe, overrides)


def test_defaults_are_those_of_the_paper(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    source = "{kind: text, path: a.txt, language: sw}"
    path.write_text(f"name: r\nlanguages: [sw]\ndata: {{sources: [{source}]}}", encoding="utf-8")
    recipe = load_config(path, Recipe)
    assert recipe.model.dropout == 0.1
    assert recipe.pretrain.models is None
    assert recipe.pretrain.optimizer.betas == (0.9, 0.98)
    assert (recipe.finetune, recipe.precision, recipe.seed) == ({}, "auto", 1)


def test_what_is_printed_reads_back_as_the_same_recipe(project: Path, tmp_path: Path) -> None:
    recipe = load(project, "title='Ein Titel: mit ''Zeichen'' — 中文'", "evaluate.retrieval=null")
    path = tmp_path / "printed.yaml"
    path.write_text(to_yaml(recipe), encoding="utf-8")
    assert load_config(path, Recipe) == recipe


def test_a_model_knows_its_objectives() -> None:
    model = PretrainedModel.model_validate({"mlm": {"length": 8}, "tlm": {"length": 9}})
    assert {name: section.length for name, section in model.objectives.items()} == {
        "mlm": 8, "tlm": 9,
    }  # fmt: skip
    assert model.trained
    assert not PretrainedModel().trained
    assert not model.ready
    assert PretrainedModel(checkpoint="some/model").ready


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("model.droput=0.2", "model has no key 'droput' (valid: .*); did you mean 'dropout'?"),
        ("model.dropout=often", "model.dropout must be a number, not 'often'."),
        ("pretrain.steps=1.5", "pretrain.steps must be a whole number, not 1.5."),
        ("pretrain.steps=0", "pretrain.steps must be at least 1, not 0."),
        ("pretrain.optimizer.schedule=cosin",
         "pretrain.optimizer.schedule cannot be 'cosin' (valid: .*); did you mean 'cosine'?"),
        ("precision=fp16", "precision cannot be 'fp16' (valid: auto, float32, bfloat16)."),
        ("languages=[en, zh, jp]", "languages.2: There is no language with the code 'jp'; .*"),
        ("languages=[en, en]", "the recipe: a language is listed twice."),
        ("languages=[]", "languages must have at least 1 item."),
        ("data.sources.0.kind=txt",
         "data.sources.0.kind cannot be 'txt' (valid: .*); did you mean 'text'?"),
        ("data.sources=[]", "data.sources must have at least 1 item."),
        ("finetune.kind.test=[]",
         "finetune.kind: give both train and test files, or neither to use the records of data."),
        ("pretrain.models.both.clm={}",
         "pretrain.models.both: clm reads from left to right and cannot be joined with mlm or "
         "tlm."),
        ("finetune={a: {kind: ner}}",
         "finetune.a.kind cannot be 'ner' (valid: classification, .*, tagging)."),
        ("finetune={a: {kind: tagging, train: [{kind: conl, path: a}], test: []}}",
         "finetune.a.train.0.kind cannot be 'conl' (valid: .*); did you mean 'conll'?"),
        ("pretrain.models={}", "pretrain.models must have at least 1 item."),
        ("pretrain.models={a/b: {}}", "pretrain.models.a/b: 'a/b' cannot name a folder; .*"),
        ("pretrain.models={.hidden: {}}", "pretrain.models..hidden: .* cannot name a folder; .*"),
        ("finetune={a b: {}}", "finetune.a b: 'a b' cannot name a folder; .*"),
        ("name=../up", "name: '../up' cannot name a folder; .*"),
        ("data.sources=[{kind: wheel, package: gramps, version: '6', sha256: abc}]",
         "data.sources.0.sha256 cannot be 'abc'; it must match ^[0-9a-fA-F]{64}$."),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence_with_its_place(
    project: Path, override: str, sentence: str
) -> None:
    pattern = ".*".join(re.escape(part) for part in sentence.split(".*"))
    with pytest.raises(UserError) as caught:
        load(project, override)
    place = rf"(--set {re.escape(override)}|{re.escape(str(project))}/recipe\.yaml(:\d+)?)"
    assert re.fullmatch(f"{place}: {pattern}", str(caught.value))


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("model.n_heads=5", "model.emb_dim (32) must be a multiple of model.n_heads (5)."),
        ("model.max_position_embeddings=16",
         "pretrain.models.both.mlm.length (32) is more than model.max_position_embeddings (16)."),
        ("pretrain.models.both.tlm.length=65",
         "pretrain.models.both.tlm.length (65) is more than model.max_position_embeddings (64)."),
        ("evaluate.retrieval.layer=2",
         "evaluate.retrieval.layer is 2, but the model's last layer is 1."),
        ("pretrain.models.both.tlm.pivot=fr",
         "pretrain.models.both.tlm names the language fr, which is not among the recipe's "
         "languages (en, zh, ar)."),
        ("evaluate.retrieval.pivot=de",
         "evaluate.retrieval names the language de, which is not among the recipe's languages "
         "(en, zh, ar)."),
        ("finetune.kind.source_languages=[ru]",
         "finetune.kind names the language ru, which is not among the recipe's languages "
         "(en, zh, ar)."),
        ("data.sources.0.languages=[tr]",
         "data.sources.0 names the language tr, which is not among the recipe's languages "
         "(en, zh, ar)."),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_told_before_anything_is_done(
    project: Path, override: str, sentence: str
) -> None:
    with pytest.raises(UserError) as caught:
        load(project, override)
    assert str(caught.value) == f"{project / 'recipe.yaml'}: {sentence}"


def test_limits_themselves_are_allowed(project: Path) -> None:
    load(project, "pretrain.models.both.tlm.length=64", "evaluate.retrieval.layer=1")
    load(project, "pretrain.models=null", "model.max_position_embeddings=16")


def test_a_default_length_is_no_more_than_the_model_reads(project: Path) -> None:
    translators = "translation.models={a: {mt: {}, ae: {length: 50}, bt: {}}, b: {mt: {}}}"
    short = load(project, "pretrain.models={m: {mlm: {}, tlm: {}}}", translators)
    assert short.model.max_position_embeddings == 64
    both = (*short.translation.models.values(), *short.pretrain.models.values())
    lengths = [one.length for model in both for one in model.objectives.values()]
    assert lengths == [64, 50, 64, 64, 64, 64]
    longer = load(project, "model.max_position_embeddings=512", translators)
    assert longer.translation.models["a"].mt.length == 128
    with pytest.raises(UserError, match=r"b.mt.length \(128\) is more than"):
        load(project, "translation.models={b: {mt: {length: 128}}}")


def _small_translation(recipe: Recipe) -> list[str]:
    if not recipe.translation:
        return []
    settings = [
        "translation.steps=4", "translation.tokens_per_batch=256", "translation.valid=[]",
        "translation.test=[]", "translation.validate_every=2", "translation.max_valid=2",
        "translation.beam_size=0",
    ]  # fmt: skip
    for name, translator in recipe.translation.models.items():
        if translator.steps:
            settings.append(f"translation.models.{name}.steps=4")
        if translator.summary:
            table = "{kind: tsv, path: FILE.tsv, text: 0, second: 2, language_column: 1}"
            settings += [
                f"translation.models.{name}.summary.{part}=[{table.replace('FILE', file)}]"
                for part, file in (("train", "train"), ("valid", "test"), ("test", "test"))
            ]
        settings += [
            f"translation.models.{name}.{objective}.directions=[en-ar]"
            for objective, section in translator.objectives.items()
            if getattr(section, "directions", None)
        ]
    return settings


def _named_sources(recipe: Recipe) -> list[str]:
    """Return settings by which what learns from single sources learns from the parallel one."""
    groups: dict[str, Any] = {"pretrain": recipe.pretrain.models}
    if recipe.translation:
        groups["translation"] = recipe.translation.models
    return [
        f"{group}.models.{name}.{objective}.sources=[text.en]"
        for group, models in groups.items()
        for name, model in (models or {}).items()
        for objective, section in model.objectives.items()
        if getattr(section, "sources", None)
    ]


def _languages_of(config: Any) -> list[tuple[str, list[str]]]:
    valid = [("valid", ["en"])] if config.valid else []
    return [("train", ["en"]), ("test", ["en", "zh", "ar"]), *valid]


def _small_tasks(recipe: Recipe, flow: list[str]) -> list[str]:
    settings = []
    for task, config in recipe.finetune.items():
        settings.append(f"finetune.{task}.epochs=1")
        if config.kind == "tagging":
            settings.append(f"finetune.{task}.source_languages=[en]")
            for part, codes in _languages_of(config):
                sources = [f"{{kind: conll, path: words.txt, language: {code}}}" for code in codes]
                settings.append(f"finetune.{task}.{part}=[{', '.join(sources)}]")
        elif config.kind == "question_answering":
            for part, codes in _languages_of(config):
                sources = [f"{{path: squad.json, language: {code}}}" for code in codes]
                settings.append(f"finetune.{task}.{part}=[{', '.join(sources)}]")
        elif not config.needs_corpus:
            valid = [("valid", flow[1])] if config.valid else []
            for part, source in (("train", flow[0]), ("test", flow[1]), *valid):
                if config.kind in ("regression", "multiple_choice"):
                    source = source.replace(".tsv", ".numbers.tsv")
                if config.kind == "multiple_choice":
                    source = source.replace("}", ", choices: [0, 1]}")
                settings.append(f"finetune.{task}.{part}=[{source}]")
    return settings


def _small(path: Path, encoder: Path) -> list[str]:
    """Return settings under which a recipe takes seconds, and reads the project's files."""
    recipe = load_config(path, Recipe)
    sources = [
        {"kind": "tsv", "path": f"{name}.tsv", "text": 0, "language_column": 1, "label_column": 2}
        for name in ("train", "test")
    ]
    sources.append({"kind": "parallel", "paths": {c: f"text.{c}" for c in ("en", "zh", "ar")}})
    flow = [str(source).replace("'", "") for source in sources]
    settings = [
        "languages=[en, zh, ar]", f"data.sources=[{', '.join(flow)}]",
        "data.duplicates=exact", "data.split={valid: 0.1, test: 0.1}",
        "tokenizer.vocabulary_size=400", "tokenizer.segmenters={zh: characters}",
        "model.n_layers=1", "model.emb_dim=32", "model.n_heads=2",
        "pretrain.steps=4", "pretrain.tokens_per_batch=256", "threads=1",
    ]  # fmt: skip
    if recipe.evaluate.retrieval:
        settings.append("evaluate.retrieval.candidates=20")
    settings += [
        f"evaluate.retrievals.{name}.sources=[{flow[2]}]" for name in recipe.evaluate.retrievals
    ]
    settings += [
        f"evaluate.lexicons.{name}.dictionaries=[{{path: pairs.txt, source: en, target: ar}}]"
        for name in recipe.evaluate.lexicons
    ]
    settings += [*_small_translation(recipe), *_named_sources(recipe)]
    for name, model in (recipe.pretrain.models or {}).items():
        if model.ready:
            settings.append(f"pretrain.models.{name}.checkpoint={encoder}")
    return [*settings, *_small_tasks(recipe, flow)]


@pytest.mark.skipif(not RECIPES, reason="this copy has no recipes")
@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_that_comes_along_runs_at_a_small_size(
    project: Path, make_encoder: Callable[..., Path], path: Path
) -> None:
    for other in RECIPES:  # one may extend another
        shutil.copy(other, project / other.name)
    for part in ("train", "test"):  # the same with numbers as labels
        text = (project / f"{part}.tsv").read_text("utf-8")
        numbers = text.replace("\tanimal\n", "\t0\n").replace("\tmachine\n", "\t1\n")
        (project / f"{part}.numbers.tsv").write_text(numbers, encoding="utf-8")
    asked = {"id": "a", "question": "Where?", "answers": [{"text": "north", "answer_start": 11}]}
    paragraph = {"context": "It flows to north.", "qas": [asked]}
    (project / "squad.json").write_text(json.dumps({"data": [{"paragraphs": [paragraph]}]}))
    (project / "words.txt").write_text("The\tO\ndog\tB-ANIMAL\n\n" * 9, encoding="utf-8")
    (project / "pairs.txt").write_text("train\tقطار\ncar\tسيارة\ncat\tقط\n", encoding="utf-8")
    encoder = make_encoder("bert", project / "encoder")
    words = [word for setting in _small(path, encoder) for word in ("--set", setting)]
    recipe, out = str(project / path.name), str(project / "out")
    result = CliRunner().invoke(app, ["run", recipe, "--output", out, *words])
    assert result.exit_code == 0, result.output
    wanted = load_config(path, Recipe)
    results = read_json(project / "out" / "results.json")
    models = results["models"]
    by_default = {} if wanted.translation else {"model": None}
    assert list(models) == list(wanted.pretrain.models or by_default)
    translators = wanted.translation.models if wanted.translation else {}
    assert list(results["translators"]) == list(translators)
    assert all(made["test"] for made in results["translators"].values())
    for model in models.values():
        for task in wanted.finetune:
            assert set(model["tasks"][task]["languages"]) == {"en", "zh", "ar"}


def test_the_recipe_of_all_kinds_of_tasks_is_whole() -> None:
    recipe = load_config(Path(__file__).parents[2] / "recipes" / "tasks.yaml", Recipe)
    assert {task.kind for task in recipe.finetune.values()} == set(KINDS)
    # Those of the African entities; files of other languages than the recipe's are not read.
    assert {"ha", "sw", "yo"} <= set(recipe.languages)
