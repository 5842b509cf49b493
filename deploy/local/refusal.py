"""The one line that `make run` ends with when it cannot go on; run.py prints it and exits 1."""


class Refusal(Exception):
    """Says what is wrong and what would help, in one line."""
