"""The product graph: what goes with what, what may stand in for what, what is of one series.

``associations.py`` and ``series.py`` are pure; ``build.py`` makes the links of a shop from what customers did; ``links.py``
reads them for replies and takes the merchant's edits.
"""
