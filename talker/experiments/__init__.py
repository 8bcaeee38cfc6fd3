"""The paper's tables and figures, and our own: each experiment writes figures/results/<name>.json."""
