"""The one exception that a user is meant to read, and what several of its sentences end in."""

# What to do where a package of an extra is missing.
INSTALL = "run `make install` in the folder of Talker"


class TalkerError(Exception):
    """Bad input, said in one sentence: which file, what is wrong with it, and what to do.

    The command line prints the sentence and exits with 2; library callers may catch it.
    """
