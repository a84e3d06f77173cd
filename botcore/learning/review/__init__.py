"""Reviewing replies: what is worth a look, in which order, by whom, and what every decision changed."""
