"""The paper's tables and figures, and our own; each writes figures/results/<name>.json."""
