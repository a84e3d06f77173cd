"""What people say, watched: texts come in, are read for sentiment and topic, and gather to figures over time."""
