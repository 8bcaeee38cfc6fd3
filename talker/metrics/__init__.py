"""Measures of generated video; one idea a file, listed in `registry`."""
