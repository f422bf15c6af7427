"""What every part of the runner needs: the exception, and octets made readable."""

QUIET = 2000  # octets of one event that the log shows


class Failed(Exception):
    """An expectation of a script was not met."""


def show(data):
    text = bytes(data[:QUIET]).decode("latin-1").encode("unicode_escape").decode()
    return f'"{text}"' + (f" and {len(data) - QUIET} octets more" if len(data) > QUIET else "")
