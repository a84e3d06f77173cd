"""From candidates to a slate: features, a learned ranker, the shop's rules, diversity, one place for exploring.

``slate.py`` puts the parts together and is what the dialogue calls. Search brings the candidates and has applied every
hard wish before; nothing here shows a product that search would not have brought.
"""
