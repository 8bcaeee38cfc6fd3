"""The one exception that a user is meant to read."""


class TalkerError(Exception):
    """Bad input, said in one sentence: which file, what is wrong with it, and what to do.

    The command line prints the sentence and exits with 2; library callers may catch it.
    """
