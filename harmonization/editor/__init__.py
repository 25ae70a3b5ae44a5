"""The mapping editor: its reads, pages and REST over the services of drafts."""
