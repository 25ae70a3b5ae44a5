"""Settings, URLs, workers and the local servers."""
