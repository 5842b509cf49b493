#!/usr/bin/python3
"""
supervise.py CONFIGURATION - Debian's supervisord, which looks around ten times a second.

supervisord notices a death and restarts what died in its main loop, which by itself turns only once
a second while nothing is logged; a daemon should be back sooner than that. Nothing else differs.
"""
import sys

from supervisor.options import ServerOptions
from supervisor.supervisord import go

LOOP_SECONDS = 0.1


def main():
    options = ServerOptions()
    options.realize(["-c", sys.argv[1]])
    options.first = True
    options.test = False
    poll = options.poller.poll
    options.poller.poll = lambda timeout: poll(min(timeout, LOOP_SECONDS))
    go(options)


main()
