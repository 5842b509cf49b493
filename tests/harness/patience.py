"""How a test waits for what happens by itself: no longer than it takes, and as long as a busy machine may need."""
import time

import requests

PATIENCE = 75  # seconds; a page that visitors share is kept for 60 of them
NOT_YET = (AssertionError, LookupError, StopIteration, requests.RequestException)


def eventually(check, seconds=PATIENCE):
    """What check() returns once it is true; one that fails is asked again, like one that is false."""
    deadline = time.monotonic() + seconds
    while True:
        late, failure = time.monotonic() > deadline, None
        try:
            found = check()
        except NOT_YET as error:
            found, failure = None, error
        if found:
            return found
        if late:
            raise failure or AssertionError(f"not within {seconds} s")
        time.sleep(0.03)
