"""Tells what blocks the thread while it does: time.sleep, and steps that take long. The second are seen through a signal,
which the host raises every 50 ms while Python runs: Python takes it between two instructions, at no cost for the program.
"""
import json
import math
import signal
import sys
import time
from asyncio import events

from pyodide import webloop

import _host

from . import places

STALL = 0.05  # seconds until a step is a stall, and between two reports of it

really_sleep = webloop._orig_sleep
perf_counter = time.perf_counter


class Watch:
    def __init__(self, clock):
        self.clock = clock
        self.begin()

    def begin(self):
        """The thread begins to run a step, or the program outside of a loop."""
        self.since = self.reported = perf_counter()
        self.loop_since = self.clock.time()

    def end(self):
        """Between two steps nothing of the program can block."""
        self.since = math.inf

    def sleep(self, seconds):
        """time.sleep: it blocks the thread, or moves the virtual clock, which comes to the same for every task."""
        if not isinstance(seconds, (int, float)) or not seconds >= 0:
            return really_sleep(seconds)
        place = places.innermost(sys._getframe(1))
        if self.clock.virtual:
            since = self.clock.time()
            self.clock.now += seconds
            if seconds >= STALL:
                self.report(seconds, since, place)
            return None
        began = perf_counter()
        while (left := began + seconds - perf_counter()) > 0:
            really_sleep(min(STALL, left))
            if perf_counter() - began >= STALL:
                self.report(perf_counter() - began, self.loop_since, place)
        return None

    def alarm(self, number, frame):
        now = perf_counter()
        if now - self.since < STALL or now - self.reported < STALL:
            return
        place = places.innermost(frame)
        if place is not None:
            self.report(now - self.since, self.loop_since, place)

    def report(self, seconds, since, place):
        self.reported = perf_counter()
        recorder = getattr(events._get_running_loop(), 'recorder', None)
        task = None
        if recorder is not None:
            task = recorder.blocked(seconds, since, place)
            recorder.send()
        _host.say(json.dumps({'type': 'held', 'seconds': seconds, 'task': task, 'place': place}))


def install(clock):
    watch = Watch(clock)
    time.sleep = watch.sleep
    signal.signal(signal.SIGALRM, watch.alarm)
    return watch
