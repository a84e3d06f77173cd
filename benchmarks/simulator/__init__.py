"""Simulated shoppers who talk with a salesperson until they find something they like, or have had enough.

A shopper has a hidden taste and no product in mind: any product satisfies that holds its hard needs and comes near the
best of what the shop has for its other tastes. Nothing here shares code, grammar or words with the product's
understanding: what a shopper says is written in ``words/`` for the simulator alone, and what it hears is the reply's
text and the products shown. ``python -m benchmarks.simulator --help``.
"""
