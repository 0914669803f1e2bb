"""Writing with `generate`: xlmkit's XLMWithLMHeadModel against transformers', the same checkpoint.

    python benchmarks/generation.py [--turns 5] [--threads 2] [--words 128]

A causal model (6 layers, 512 wide, 8 heads, 16,000 words) continues 8 prompts of 32 tokens by the
best next word, in float32. Checked first: both give the same scores for the prompts, and ours
writes the same words with and without its cache. transformers shows a causal model a mask token
behind the text, so its words are others; what is compared is the work of writing as many.
"""

import argparse

import torch
import transformers
from _arguments import positive, run
from _harness import Limit, Work, compare, matrix_limit, record, set_up, show_profile

from xlmkit import XLMConfig, XLMWithLMHeadModel

SHAPE = {
    "vocab_size": 16_000,
    "emb_dim": 512,
    "n_layers": 6,
    "n_heads": 8,
    "n_langs": 2,
    "causal": True,
    "mask_token_id": 5,
    "eos_token_id": None,
}
ROWS, PROMPT = 8, 32


def main() -> None:
    """Run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=positive, default=5)
    parser.add_argument("--threads", type=positive, default=2)
    parser.add_argument("--words", type=positive, default=128)
    arguments = parser.parse_args()
    set_up(arguments.threads)
    torch.manual_seed(0)
    ours = XLMWithLMHeadModel(XLMConfig(**SHAPE)).eval()
    theirs = transformers.XLMWithLMHeadModel(transformers.XLMConfig(**SHAPE)).eval()
    theirs.load_state_dict(ours.state_dict())
    tokens = torch.randint(14, SHAPE["vocab_size"], (ROWS, PROMPT))
    with torch.no_grad():
        difference = float((ours(tokens).logits - theirs(tokens).logits).abs().max())
    print(f"Scores of the prompts differ by at most {difference:.1e}.")
    if not difference < 1e-4:
        raise SystemExit("The two do not compute the same.")

    def side(model: torch.nn.Module, **settings: object) -> Work:
        def work() -> int:
            written = model.generate(
                tokens, max_new_tokens=arguments.words, do_sample=False, **settings
            )
            return (written.shape[1] - PROMPT) * ROWS

        return work

    cached = ours.generate(tokens, max_new_tokens=32, do_sample=False)
    again = ours.generate(tokens, max_new_tokens=32, do_sample=False, use_cache=False)
    if not torch.equal(cached, again):
        raise SystemExit("The cache changes what is written.")
    sides = {
        "transformers, no cache": side(theirs, use_cache=False),
        "transformers as shipped": side(theirs),
        "xlmkit, no cache": side(ours, use_cache=False),
        "xlmkit": side(ours),
    }
    title = f"{ROWS} prompts of {PROMPT} tokens, {arguments.words} words each, float32"
    width, words = SHAPE["emb_dim"], SHAPE["vocab_size"]

    def limits() -> dict[str, float]:
        return dict.fromkeys(sides, matrix_limit(ROWS, width, 4 * width, torch.float32))

    operations = 2.0 * (SHAPE["n_layers"] * 12 * width**2 + width * words)  # of a word
    limit = Limit.of_operations(limits, operations)
    result = compare(title, "words", sides, turns=arguments.turns, limit=limit)
    result["profile"] = show_profile("xlmkit", sides["xlmkit"])
    record("generation", [result])


if __name__ == "__main__":
    run(main)
