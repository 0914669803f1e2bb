"""The recipes of many datasets read each in the layout in which its authors publish it."""

import json
from pathlib import Path

import pytest

from xlmkit.core.config import load_config
from xlmkit.recipe import Recipe
from xlmkit.tasks.base import TaskInputs

RECIPES = Path(__file__).parents[2] / "recipes"
TOPICS = "index_id\tcategory\ttext\n1\tsports\tThe match was long.\n2\thealth\tShe slept well.\n"
NEWS = (
    "category\theadline\ttext\turl\n"
    "sports\tA match\tThe match was long.\thttps://a.example/1\n"
    'health\tA "good" night\t"She slept ""well""."\thttps://a.example/2\n'
)
PAIRS = "A cat sleeps .\tThe cat sleeps .\t1\nA cat sleeps .\tA dog runs .\t0\n"
INFERENCE = "A cat sleeps.\tIt rests.\tentailment\nA cat sleeps.\tIt runs.\tcontradiction\n"
SICK = (
    "pair_ID\tsentence_A\tsentence_B\trelatedness_score\tentailment_judgment\n"
    "1\tA cat sleeps\tA cat rests\t4.5\tENTAILMENT\n"
    "2\tA cat sleeps\tA cat runs\t3.1\tCONTRADICTION\n"
    "3\tA cat sleeps\tA dog barks\t2\tNEUTRAL\n"
)
EMOTIONS = "What a day!\t1, 5\nGo away.\t2\nI do not know.\t5\n"
LIKENESS = 'A cat sleeps.,"A cat rests, it seems.",4.75\nA cat sleeps.,A dog runs.,0.6\n'
CHOICES = "".join(
    json.dumps(
        {"premise": premise, "choice1": "It rained.", "choice2": "It was hot.", "question": "cause"}
        | {"idx": label, "label": label}
    )
    + "\n"
    for label, premise in enumerate(["The street was wet.", "He drank a lot."])
)
CONLLU = """\
# sent_id = n01
# text = We don't sleep
1\tWe\twe\tPRON\tPRP\t_\t4\tnsubj\t_\t_
2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\t_
2\tdo\tdo\tAUX\tVBP\t_\t4\taux\t_\t_
3\tn't\tnot\tPART\tRB\t_\t4\tadvmod\t_\t_
4\tsleep\tsleep\tVERB\tVB\t_\t0\troot\t_\t_

"""
ENTITIES = "R.H.\tB-ORG\nSaunders\tI-ORG\n(\tO\n\nBerlin\tB-LOC\n\n"
SPACED = ENTITIES.replace("\t", " ")
ASKED = {"id": "q1", "question": "Who?", "answers": [{"text": "Ada", "answer_start": 0}]}
SQUAD = json.dumps(
    {"version": "1.1", "data": [{"paragraphs": [{"context": "Ada won.", "qas": [ASKED]}]}]}
)  # fmt: skip
LINES, LABELS = "so happy today\nso sad\nit is noon\n", "2\n0\n1\n"


def layouts() -> dict[str, str]:
    """Return place -> content of every dataset, for English, German and two that are needed."""
    files = {
        "masakhaner2/swa.train.txt": SPACED,
        "masakhaner2/swa.dev.txt": SPACED,
        "masakhaner2/hau.dev.txt": SPACED,
        "sick_en/SICK_train.txt": SICK,
        "xed/en-annotated.tsv": EMOTIONS,
        "stsb_multi_mt/stsb-en-train.csv": LIKENESS,
        "tydiqa_goldp/tydiqa.goldp.en.train.json": SQUAD,
        "ud/English-EWT/en_ewt-ud-train.conllu": CONLLU,
        "ud/English-EWT/en_ewt-ud-dev.conllu": CONLLU,
    }
    for code, long, name in (("en", "eng_Latn", "english"), ("de", "deu_Latn", "german")):
        files |= {
            **{f"sib200/{long}/{part}.tsv": TOPICS for part in ("train", "dev", "test")},
            **{f"masakhanews/{long[:3]}/{part}.tsv": NEWS for part in ("dev", "test")},
            **{f"umsab_sentiment/{name}/{p}_text.txt": LINES for p in ("train", "val", "test")},
            **{f"umsab_sentiment/{name}/{p}_labels.txt": LABELS for p in ("train", "val", "test")},
            f"pawsx_dev/{code}.tsv": PAIRS,
            f"xnli_dev/{code}.tsv": INFERENCE,
            f"xed/{code}-projections.tsv": EMOTIONS,
            f"stsb_multi_mt/stsb-{code}-test.csv": LIKENESS,
            **{f"xcopa/{code}/{p}.{code}.jsonl": CHOICES for p in ("train", "val", "test")},
            f"xquad/xquad.{code}.json": SQUAD,
            f"ud/{name.title()}-PUD/{code}_pud-ud-test.conllu": CONLLU,
            **{f"panx/{code}/{part}.tsv": ENTITIES for part in ("train", "dev")},
        }
    return files


SIZES = {
    "topics": 2, "news": 2, "sentiment": 3, "paraphrase": 2, "inference": 2, "emotions": 3,
    "likeness": 2, "cause": 2, "answers": 1, "speech": 1, "entities": 2, "african_entities": 2,
}  # fmt: skip
"""Task -> how many examples each language has to test on."""


@pytest.mark.skipif(not RECIPES.is_dir(), reason="this copy has no recipes")
@pytest.mark.parametrize("name", ["tasks", "eleven-languages"])
def test_every_task_reads_the_files_as_they_are_published(name: str, tmp_path: Path) -> None:
    for place, content in layouts().items():
        path = tmp_path / "tasks" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    recipe = load_config(RECIPES / f"{name}.yaml", Recipe)
    for task, config in recipe.finetune.items():
        inputs = TaskInputs(tmp_path / "corpus", tmp_path, recipe.languages, task=task)
        data = config.load(inputs)
        assert not inputs.bad.counts, task
        expected = {"african_entities": {"ha", "sw"}, "paraphrase": {"de"}}
        assert set(data.test) == expected.get(task, {"en", "de"}), task
        assert {len(part) for part in data.test.values()} == {SIZES[task]}, task
