"""What a shop's feedback becomes: annotations, snapshots of data, rules of promotion. Pure decisions, no torch."""
