"""Doors to the catalogue and what goes with it: products, advertised ids, audiences, exchange rates."""
