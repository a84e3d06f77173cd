"""The supervised training set: hand-written skeletons, contexts to fill them from, and the builder."""
