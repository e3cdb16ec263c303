"""One module an experiment: which networks, on which photos, and what came out."""
