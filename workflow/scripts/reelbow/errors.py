"""The one error of Reelbow whose text is meant for the user."""


class ReelbowError(Exception):
    """Bad input, told in one sentence: what, where, what would be right."""
