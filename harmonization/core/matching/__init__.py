"""Proposing a mapping contract for a file that no contract knows: what each column is, how sure, and why."""
