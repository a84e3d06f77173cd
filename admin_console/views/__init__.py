"""The console's pages. A view finds what its reader may see, asks one question of it and renders the answer."""

PAGE_SIZE = 25
"""Rows of a list on one page."""
