"""`xlmkit translate`: lines in, as many lines out, at any length of the file.

Lines are read and translated a chunk at a time, so that memory does not grow with the file. A named
output is written beside its name and takes it when all is done; `--resume` goes on behind the last
line that was written.
"""

from itertools import islice
from pathlib import Path

from xlmkit.core.errors import UserError
from xlmkit.core.progress import progress
from xlmkit.core.streams import input_lines, output_lines
from xlmkit.generate.translator import SearchConfig, Translator

_CHUNK = 512  # lines


def translate(
    model: Path,
    source: Path | None,
    target: Path | None,
    *,
    src: str,
    tgt: str,
    search: SearchConfig,
    resume: bool = False,
) -> None:
    """Translate a file or standard input to a file or standard output.

    Args:
        model: a translator's folder.
        source: the file to read, UTF-8; None reads standard input.
        target: the file to write; None writes standard output.
        src: language of the lines.
        tgt: language to write.
        search: how translations are searched for.
        resume: go on with a target that an earlier call has begun.

    Raises:
        UserError: a file cannot be read or written, the text is not UTF-8, the model does not know
            a language, or there is nothing to go on with.
    """
    if resume and target is None:
        raise UserError("--resume needs --output: only a file tells how far the last call came.")
    translator = Translator.from_pretrained(model)
    translator.translate([""], src, tgt)  # the languages are known, before anything is written
    with output_lines(target, resume=resume) as (stream, done), input_lines(source) as lines:
        for _ in islice(lines, done):
            pass
        with progress(f"translating {src} to {tgt}", start=done) as job:
            while chunk := list(islice(lines, _CHUNK)):
                for text in translator.translate(chunk, src, tgt, search):
                    stream.write(f"{text}\n")
                stream.flush()
                job.advance(len(chunk))
