"""What happens to a file after it is read: quarantine and replay, restatement, history, lineage."""
