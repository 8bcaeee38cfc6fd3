"""Talker: a face that talks, from one photograph and a recording."""

__version__ = "0.1.0"
