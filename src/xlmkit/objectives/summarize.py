"""Summarisation: write a text's summary, word by word, in its language or another.

L = - sum over i of log p(y_i | y_<i, x), with y the summary of x: the loss of MT, Rush et al. 2015
for headlines, and for XLM-like encoder-decoders Chi et al. 2020. The languages tell the model what
to do: the same for text and summary is summarisation, which MT never learns.

A text is read up to so many tokens, as its beginning says most (the lead is a strong baseline of
news); a summary that is too long is left out, since one that is cut teaches to end too early.
"""

from collections.abc import Sequence

from xlmkit.core.errors import UserError
from xlmkit.data.translations import Direction, direction_of
from xlmkit.objectives.config import SummaryConfig
from xlmkit.objectives.translate import Translation
from xlmkit.text.tokenizer import Tokenizer


class Summarization(Translation):
    """MT's loss over texts and summaries; `pairs` has directions of `summary_direction`."""

    name = "summary"


def summary_direction(
    texts: Sequence[str],
    summaries: Sequence[str],
    direction: str,
    tokenizer: Tokenizer,
    config: SummaryConfig,
) -> Direction:
    """Return texts, cut to what is read, and those of their summaries that are not too long.

    Args:
        texts: in the first language of the direction.
        summaries: one for each, in the second.
        direction: such as `en-en`.
        tokenizer: of the model.
        config: says how long both may be, `</s>` at both ends counted.

    Raises:
        UserError: all summaries are too long.
    """
    source, target = direction.split("-")
    written = tokenizer.encode_batch(summaries, target)
    fitting = [n for n, ids in enumerate(written) if 0 < len(ids) <= config.summary_length - 2]
    if not fitting:
        raise UserError(
            f"No summary of {direction} has at most summary_length ({config.summary_length}) "
            "tokens; raise it."
        )
    read = tokenizer.encode_batch([texts[n] for n in fitting], source)
    return direction_of(
        [ids[: config.length - 2] for ids in read],
        tokenizer.lang2id[source],
        [written[n] for n in fitting],
        tokenizer.lang2id[target],
    )
