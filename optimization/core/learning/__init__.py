"""Learning which lines earn more while spending: beliefs, policies, a market with known truth, and logs."""
