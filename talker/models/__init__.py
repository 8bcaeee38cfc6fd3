"""The networks of the paper: a generator in four parts, and three discriminators."""
