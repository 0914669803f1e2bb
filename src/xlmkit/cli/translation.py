"""The verbs `translate`, `summarize` and `score`."""

import importlib
import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from xlmkit.core.errors import UserError


class Engine(StrEnum):
    """What a translator's folder may be for."""

    auto = "auto"
    torch = "torch"
    ctranslate2 = "ctranslate2"


Sources = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FILE]...",
        help="Texts, a line each, one file behind the other; else standard input.",
    ),
]
NBest = Annotated[
    int,
    typer.Option("--n-best", min=1, help="Lines of number, score and translation, by tabs."),
]
Sample = Annotated[
    bool, typer.Option("--sample", help="Draw words instead; see also --set top_p=0.9.")
]
Prefix = Annotated[
    str | None, typer.Option("--prefix", help="Words that every translation begins with.")
]
Allowed = Annotated[
    Path | None,
    typer.Option("--allowed", metavar="FILE", help="Write only tokens of this text."),
]
BatchTokens = Annotated[
    int, typer.Option("--batch-tokens", min=16, help="Tokens of a batch, beams counted.")
]
EngineOption = Annotated[Engine, typer.Option("--engine", help="What the folder must be for.")]
Capitals = Annotated[
    bool | None,
    typer.Option(
        "--capitals/--no-capitals",
        help="Give words their usual case and accents, and sentences a capital; by default where "
        "the model writes none.",
    ),
]
TranslationPrecision = Annotated[
    Literal["auto", "float32", "bfloat16", "int8"] | None,
    typer.Option(
        "--precision",
        help="By default float32; int8 is faster on a CPU, auto takes bfloat16 where the "
        "hardware has it.",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Any other key of the search."),
]
BeamSize = Annotated[int, typer.Option("--beam-size", min=0, help="Beams; 0 for greedy search.")]
LengthPenalty = Annotated[
    float, typer.Option("--length-penalty", min=0, help="More prefers longer translations.")
]


def translate(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="A translator's folder.")],
    sources: Sources = None,
    src: Annotated[
        str | None,
        typer.Option(
            "--src", "-s", help="Language of the text; may be left out where one direction fits."
        ),
    ] = None,
    tgt: Annotated[
        str | None, typer.Option("--tgt", "-t", help="Language to write; the same.")
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file, instead of standard output.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an output that was not finished.")
    ] = False,
    beam_size: BeamSize = 5,
    length_penalty: LengthPenalty = 1.0,
    n_best: NBest = 1,
    sample: Sample = False,
    prefix: Prefix = None,
    allowed: Allowed = None,
    batch_tokens: BatchTokens = 2048,
    engine: EngineOption = Engine.auto,
    capitals: Capitals = None,
    precision: TranslationPrecision = None,
    split: Annotated[
        bool | None,
        typer.Option(
            "--split/--no-split",
            help="Translate the sentences of a line one by one, and join them; by default as the "
            "model was measured.",
        ),
    ] = None,
    settings: Settings = None,
) -> None:
    """Call `xlmkit.translate.translate`."""
    importlib.import_module("xlmkit.core.device").share_the_processor()
    module = importlib.import_module("xlmkit.translate")
    named: dict[str, object] = {"beam_size": beam_size, "length_penalty": length_penalty}
    named |= {"n_best": n_best, "sample": json.dumps(sample), "batch_tokens": batch_tokens}
    given = [f"{key}={value}" for key, value in named.items()]
    search = module.search_of([*given, *(settings or [])])
    request = module.Request(
        src=src,
        tgt=tgt,
        search=search,
        prefix=prefix,
        allowed=allowed,
        engine=engine.value,
        capitals=capitals,
        precision=precision,
        split=split,
    )
    module.translate(model, sources or [], target, request, resume=resume)


def summarize(
    model: Annotated[
        Path, typer.Argument(metavar="MODEL", help="The folder of a model that summarises.")
    ],
    language: Annotated[str, typer.Option("--language", "-l", help="Language of the texts.")],
    sources: Sources = None,
    tgt: Annotated[
        str | None,
        typer.Option(
            "--tgt", "-t", help="Language to write; by default the one it learned, or the same."
        ),
    ] = None,
    target: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file, instead of standard output.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an output that was not finished.")
    ] = False,
    long_texts: Annotated[
        Literal["beginning", "parts"],
        typer.Option(
            "--long-texts",
            help="Of a text longer than the model reads, summarise the beginning, or all of it "
            "part by part.",
        ),
    ] = "beginning",
    beam_size: BeamSize = 5,
    length_penalty: LengthPenalty = 1.0,
    n_best: NBest = 1,
    capitals: Capitals = None,
    precision: TranslationPrecision = None,
    settings: Settings = None,
) -> None:
    """Call `xlmkit.translate.summarize`."""
    importlib.import_module("xlmkit.core.device").share_the_processor()
    module = importlib.import_module("xlmkit.translate")
    named: dict[str, object] = {"beam_size": beam_size, "length_penalty": length_penalty}
    given = [f"{key}={value}" for key, value in {**named, "n_best": n_best}.items()]
    request = module.Request(
        src=language,
        tgt=tgt,
        search=module.search_of([*given, *(settings or [])]),
        capitals=capitals,
        precision=precision,
    )
    module.summarize(model, sources or [], target, request, long_texts, resume=resume)


def score(
    hypothesis: Annotated[
        Path, typer.Argument(metavar="HYPOTHESIS", help="Translations, a line each, detokenised.")
    ],
    reference: Annotated[
        list[Path],
        typer.Argument(metavar="REFERENCE...", help="Human translations; may be several."),
    ],
    tgt: Annotated[str, typer.Option("--tgt", "-t", help="Language of the translations.")],
    metric: Annotated[
        list[str] | None,
        typer.Option(
            "--metric",
            "-m",
            help="bleu, chrf, chrf++, ter, original, rouge or comet; may be repeated.",
        ),
    ] = None,
    against: Annotated[
        Path | None, typer.Option("--against", help="Another system's translations, to compare.")
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--src-file", help="What was translated, for COMET and to find copies."),
    ] = None,
    src: Annotated[
        str | None, typer.Option("--src", "-s", help="Language of what was translated.")
    ] = None,
    lowercase: Annotated[
        bool, typer.Option("--lowercase", help="Count upper and lower case as the same.")
    ] = False,
    tokenizer: Annotated[
        str | None, typer.Option("--tokenizer", help="sacreBLEU's, instead of the language's own.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--json", help="A file for the numbers.")] = None,
    comet_command: Annotated[
        str, typer.Option(metavar="PATH", help="The program of unbabel-comet, by path or name.")
    ] = "comet-score",
    comet_model: Annotated[
        str, typer.Option(metavar="NAME", help="COMET's model.")
    ] = "Unbabel/wmt22-comet-da",
) -> None:
    """Call `xlmkit.evaluate.score_files.score_files`."""
    if src is not None and source is None:
        raise UserError("--src is the language of --src-file; name that file too, or leave it out.")
    read = (hypothesis, *reference, against, source)
    importlib.import_module("xlmkit.core.unfinished").check_output(read, output, "--json")
    importlib.import_module("xlmkit.evaluate.score_files").score_files(
        hypothesis,
        reference,
        tgt=tgt,
        metrics=metric or (),
        against=against,
        source=source,
        src=src,
        lowercase=lowercase,
        tokenizer=tokenizer,
        output=output,
        comet_command=comet_command,
        comet_model=comet_model,
    )
