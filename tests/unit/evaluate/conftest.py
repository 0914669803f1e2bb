"""A results.json as a run of three models in seven languages writes it."""

import copy
import json
import math
import random
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from xlmkit.evaluate.metrics import accuracy, confusion_matrix, macro_f1
from xlmkit.evaluate.outcomes import Outcomes, example_ids, save_outcomes

NAMES = {
    "en": "English",
    "fr": "French",
    "de": "German",
    "es": "Spanish",
    "ru": "Russian",
    "ar": "Arabic",
    "zh": "Chinese",
}
MESSAGES = {
    "en": ("The file could not be saved", "Choose a date for the event", "Two people were added"),
    "fr": (
        "Le fichier n'a pas pu être enregistré",
        "Choisissez une date",
        "Deux personnes ajoutées",
    ),
    "de": (
        "Die Datei wurde nicht gespeichert",
        "Wählen Sie ein Datum",
        "Zwei Personen hinzugefügt",
    ),
    "es": ("No se pudo guardar el archivo", "Elija una fecha", "Se añadieron dos personas"),
    "ru": ("Не удалось сохранить файл", "Выберите дату события", "Добавлены два человека"),
    "ar": ("تعذر حفظ الملف", "اختر تاريخًا للحدث", "تمت إضافة شخصين"),
    "zh": ("无法保存文件", "选择活动日期", "添加了两个人"),
}
LABELS = ["gramps", "pretix", "wagtail", "django"]
# (title, accuracy in English, accuracy elsewhere, retrieval, spread of translations on the map)
MODELS = {
    "none": ("No pretraining", 0.71, 0.31, 0.02, 0.9),
    "mlm": ("MLM", 0.84, 0.52, 0.24, 0.5),
    "mlm_tlm": ("MLM + TLM", 0.86, 0.72, 0.68, 0.15),
}


def score(name, value, n=1000):
    half = 1.96 * math.sqrt(max(value * (1 - value), 0.01) / n)
    text = f"{name}|n:{n}|bootstrap:1000|seed:1|v:0.1.0"
    low, high = max(0.0, value - half), min(1.0, value + half)
    return {"value": value, "low": low, "high": high, "n": n, "signature": text}


def _perplexity(value):
    text = "perplexity|n:900|bootstrap:1000|seed:1|v:0.1.0"
    return {"value": value, "low": value * 0.97, "high": value * 1.03, "n": 900, "signature": text}


def _task(draw, home, away):
    languages, examples = {}, {}
    for number, code in enumerate(NAMES):
        value = home if code == "en" else away + 0.05 - 0.025 * number + draw.uniform(-0.01, 0.01)
        n = 1000 - 30 * number
        languages[code] = {
            "accuracy": score("accuracy", value, n),
            "macro_f1": score("macro-f1|classes:occurring", value - 0.03, n),
            "confusion": [[200, 10, 20, 20]] * 4,
            "calibration": {
                "ece": {
                    "value": 0.1 + 0.01 * number,
                    "low": None,
                    "high": None,
                    "n": n,
                    "signature": f"ece|bins:15|n:{n}|bootstrap:none|v:0.1.0",
                },
                "bins": [[0, 0.0, 0]] * 10 + [[100, 70.0 + i, 60] for i in range(5)],
            },
            "n": n,
        }
        examples[code] = [
            {
                "text": draw.choice(MESSAGES[code]),
                "label": LABELS[i % 4],
                "predicted": LABELS[i % 4 if i % 2 else (i + 1) % 4],
                "probability": draw.uniform(0.3, 0.99),
            }
            for i in range(10)
        ]
    others = [code for code in NAMES if code != "en"]
    average = {
        metric: sum(languages[code][metric]["value"] for code in others) / len(others)
        for metric in ("accuracy", "macro_f1")
    }
    return {
        "kind": "classification",
        "labels": LABELS,
        "source_language": "en",
        "train_examples": 9120,
        "languages": languages,
        "average": {**average, "over": others},
        "curve": [
            {
                "step": s,
                "seconds": s * 0.1,
                "loss": 1.4 * math.exp(-s / 120) + draw.uniform(0.2, 0.4),
            }
            for s in range(0, 600, 4)
        ],
        "examples": examples,
    }


def _retrieval(draw, average, spread):
    directions, points = {}, []
    for number, code in enumerate(code for code in NAMES if code != "en"):
        value = max(0.001, average * (1.15 - 0.06 * number))
        directions[f"{code}-en"] = score("retrieval@1|candidates:1000|ties:shared", value)
        directions[f"en-{code}"] = score("retrieval@1|candidates:1000|ties:shared", value * 0.96)
    for group in range(60):
        x, y = draw.gauss(0, 1), draw.gauss(0, 1)
        for number, code in enumerate(NAMES):
            away = spread * 1.5
            points.append(
                {
                    "x": x * (1 - spread / 2) + draw.gauss(away * math.cos(number), spread / 3),
                    "y": y * (1 - spread / 2) + draw.gauss(away * math.sin(number), spread / 3),
                    "language": code,
                    "text": MESSAGES[code][group % 3],
                    "group": group,
                }
            )
    mean = sum(one["value"] for one in directions.values()) / len(directions)
    return {
        "layer": 3,
        "pivot": "en",
        "candidates": 1000,
        "directions": directions,
        "average": mean,
        "map": points,
    }


def _pretraining(draw, objectives):
    curve = []
    for step in range(0, 3000, 10):
        for objective in objectives:
            loss = 2.6 + 6.4 * math.exp(-step / 500) + draw.uniform(-0.25, 0.25)
            at = {"step": step, "seconds": step * 0.09, "tokens": step * 900}
            at |= {"objective": objective, "accuracy": 0.3}
            curve.append({**at, "language": None, "split": "train", "loss": loss})
            if step % 200 == 0:
                for number, code in enumerate(NAMES):
                    if objective == "tlm" and code == "en":
                        continue
                    language = f"en-{code}" if objective == "tlm" else code
                    lower = 0.9 if objective == "tlm" else 0.0
                    loss = 2.4 - lower + 0.12 * number + 6.4 * math.exp(-step / 550)
                    curve.append({**at, "language": language, "split": "valid", "loss": loss})
    return {
        "steps": 3000,
        "tokens": 2_700_000,
        "seconds": 270.0,
        "tokens_per_second": 10_000,
        "objectives": objectives,
        "curve": curve,
    }


def _language_modelling(better):
    mlm = {
        code: {
            "perplexity": _perplexity((18 + 3 * number) / better),
            "accuracy": score("token-accuracy", 0.44 * better - 0.01 * number, 900),
            "n": 900,
        }
        for number, code in enumerate(NAMES)
    }
    return {"mlm": mlm}


def _data():
    sources = []
    for name, read in (
        ("gramps", 61_204),
        ("pretix", 48_810),
        ("wagtail", 22_031),
        ("django", 9_240),
    ):
        dropped = {
            "too short": read // 6,
            "exact duplicate": read // 11,
            "wrong script": read // 90,
            "length ratio": read // 200,
        }
        sources.append(
            {
                "name": name,
                "kind": "wheel",
                "read": read,
                "kept": read - sum(dropped.values()),
                "dropped": dropped,
                "bad_lines": 3 if name == "pretix" else 0,
                "texts": dict.fromkeys(NAMES, read // 7),
            }
        )
    splits = {
        name: {"records": n, "texts": {code: n - 31 * i for i, code in enumerate(NAMES)}}
        for name, n in (("train", 13_904), ("valid", 1_000), ("test", 1_000))
    }
    pairs = {f"en-{code}": 12_900 - 300 * i for i, code in enumerate(NAMES) if code != "en"}
    return {"sources": sources, "splits": splits, "pairs": pairs}


def _build():
    draw = random.Random(7)
    models = {}
    for key, (title, home, away, found, spread) in MODELS.items():
        objectives = {"mlm": {"mlm": 1.0}, "mlm_tlm": {"mlm": 0.4, "tlm": 0.6}}.get(key)
        models[key] = {
            "title": title,
            "parameters": 6_300_000,
            "pretraining": _pretraining(draw, objectives) if objectives else None,
            "tasks": {"application": _task(draw, home, away)},
            "retrieval": _retrieval(draw, found, spread),
        }
        if objectives:
            models[key]["language_modelling"] = _language_modelling(1.1 if key == "mlm_tlm" else 1)
    tokenizer = {
        code: {
            "texts": 13_904 - 31 * i,
            "words": 98_000 - 900 * i,
            "tokens": 131_000 + 4_000 * i,
            "tokens_per_word": (131_000 + 4_000 * i) / (98_000 - 900 * i),
            "unknown_share": 0.0002 * i,
            "sampling_probability": 1 / 7,
        }
        for i, code in enumerate(NAMES)
    }
    return {
        "name": "quickstart",
        "title": "Seven languages in a quarter of an hour",
        "created": "2026-03-02T14:05:00+00:00",
        "seed": 1,
        "source_language": "en",
        "languages": list(NAMES),
        "language_names": NAMES,
        "machine": {"processor": "Xeon 2.1 GHz", "cores": 2, "memory_gib": 7.6, "device": "cpu"},
        "versions": {"xlmkit": "0.1.0", "python": "3.11.2", "torch": "2.13.0"},
        "durations": {
            "prepare": 41.2,
            "pretrain mlm": 270.0,
            "pretrain mlm_tlm": 271.5,
            "evaluate": 62,
        },
        "recipe": "name: quickstart\nlanguages: [en, fr, de]\nmodel:\n  layers: 4\n",
        "data": _data(),
        "tokenizer": {"vocabulary_size": 12_000, "languages": tokenizer},
        "models": models,
    }


_RESULTS = _build()


@pytest.fixture
def results():
    """Return results of three models in seven languages, the test's own to change."""
    return copy.deepcopy(_RESULTS)


COMPARED = {"en": "English", "sw": "Swahili", "fr": "French"}
ANSWERS = 300


@dataclass
class _Model:
    """A classifier that is right on a share of the examples."""

    title: str
    right: float
    seconds: float = 3.0
    size: int = 10_000_000
    task: str = "topic"
    kept: bool = True
    metrics: tuple[str, ...] = ("accuracy", "macro_f1")
    codes: tuple[str, ...] = tuple(COMPARED)
    texts: str = "text"
    device: dict = field(default_factory=lambda: {"name": "EPYC", "threads": 2})


def _make_run(folder: Path, **models: _Model) -> Path:
    """Write a run's results and outcomes."""
    written = {}
    for key, model in models.items():
        languages, outcomes = {}, {}
        for number, code in enumerate(model.codes):
            labels = np.random.default_rng(number).integers(3, size=ANSWERS)
            draw = np.random.default_rng([number, int(model.right * 1000), len(key)])
            predicted = np.where(draw.random(ANSWERS) < model.right, labels, (labels + 1) % 3)
            confusion = confusion_matrix(labels, predicted, 3)
            languages[code] = {
                "accuracy": accuracy(labels, predicted, resamples=20).to_json(),
                "macro_f1": macro_f1(confusion, resamples=20).to_json(),
                "n": ANSWERS,
            }
            texts = [f"{model.texts} {code} {i}" for i in range(ANSWERS)]
            ids = example_ids(texts, list(map(str, labels)))
            turned = slice(None, None, -1 if model.right > 0.6 else 1)  # files in another order
            columns = {"references": labels[turned], "predictions": predicted[turned]}
            outcomes[code] = Outcomes(ids[turned], columns)
        if model.kept:
            save_outcomes(folder / "evaluate" / key / "outcomes" / f"{model.task}.npz", outcomes)
        written[key] = {
            "title": model.title,
            "parameters": 4_000_000,
            "device": model.device,
            "tasks": {
                model.task: {
                    "metrics": list(model.metrics),
                    "source_language": "en",
                    "languages": languages,
                    "seconds": model.seconds,
                    "bytes": model.size,
                }
            },
        }
    results = {
        "name": folder.name,
        "source_language": "en",
        "languages": list(COMPARED),
        "language_names": COMPARED,
        "models": written,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    return folder


@pytest.fixture
def model():
    """What describes a classifier for `make_run`."""
    return _Model


@pytest.fixture
def make_run():
    """What writes a run's results and outcomes."""
    return _make_run
