"""How a test waits for what happens by itself: no longer than it takes, and as long as a busy machine may need."""
import time

PATIENCE = 30  # seconds


def eventually(check, seconds=PATIENCE):
    """What check() returns once it is true."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found or time.monotonic() > deadline:
            assert found, f"not within {seconds} s"
            return found
        time.sleep(0.03)
