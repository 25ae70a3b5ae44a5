"""The semantic layer: what each figure means, by what it can be split, and how it is computed from published events."""
