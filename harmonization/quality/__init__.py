"""Doors to what the checks of the data found: pages, REST, reads. The acts are in `harmonization.services`."""
