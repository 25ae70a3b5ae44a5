"""The frame around every page: what it shows, how it navigates, and the template tags that pages are made of."""
