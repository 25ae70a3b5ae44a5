"""How well proposals match labelled reports, each network left out in turn, beside three baselines.

    python -m benches matching [--labels tests/matching/labels/dev] [--json]

Field: the target alone. Contract: target, windows, match, channel, new-to-brand, unit and, for money, the currency.
"""
