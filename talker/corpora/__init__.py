"""Corpora: where clips come from, and which speaker belongs to which split."""
