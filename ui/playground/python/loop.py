"""CPython's own loop, with nothing outside it but the page: a subclass of BaseEventLoop whose selector only sleeps, on the
real clock or on a virtual one that jumps. Timers with the same deadline fire in the order in which they were scheduled.
"""
import asyncio
import heapq
import math
import select
import signal
import time
from asyncio import base_events, events

import _host

from . import reports

TURN = 0.05  # seconds after which a program that is never idle lets the page's messages in
poll = select.poll().poll  # of no files: the page takes its time to answer it, and Python's stack waits


class Timer(events.TimerHandle):
    __slots__ = ['_order']

    def __lt__(self, other):
        return (self._when, self._order) < (other._when, other._order)


class Clock:
    """What time it is on all loops of the program."""

    def __init__(self, virtual, until):
        self.virtual = virtual
        self.until = until
        self.now = 0.0
        self.began = time.perf_counter()
        self.over = False  # the virtual clock has reached its end
        self.note = None  # what the page says of that

    def time(self):
        return self.now if self.virtual else time.perf_counter() - self.began


class EventLoop(base_events.BaseEventLoop):
    clock = None  # set before the program begins
    count = 0
    timer = Timer

    def __init__(self):
        super().__init__()
        self._clock_resolution = 1e-9
        self._selector = self
        self._timers = 0
        self._turned = time.perf_counter()
        self.number = EventLoop.count
        EventLoop.count += 1

    def time(self):
        return self.clock.time()

    def select(self, timeout):
        if timeout is not None and timeout <= 0:
            if time.perf_counter() - self._turned >= TURN:
                self._wait(0)
        elif timeout is None or not self.clock.virtual:
            self._wait(timeout)
        else:
            self._jump(timeout)
        return ()

    def _jump(self, seconds):
        clock = self.clock
        if not clock.over and clock.now + seconds > clock.until:
            clock.over = True
            clock.now = max(clock.now, clock.until)
            clock.note = f'Its clock reached {clock.until:g} s, so it was cancelled, as by Ctrl-C.'
            signal.raise_signal(signal.SIGINT)
            return
        clock.now += seconds
        if time.perf_counter() - self._turned >= TURN:
            self._wait(0)

    def _wait(self, seconds):
        poll(None if seconds is None else math.ceil(seconds * 1000))
        self._turned = time.perf_counter()
        if _host.interrupted():
            signal.raise_signal(signal.SIGINT)

    def default_exception_handler(self, context):
        reports.on_exception(context)

    def _process_events(self, event_list):
        pass

    def _write_to_self(self):
        pass

    def call_at(self, when, callback, *args, context=None):
        self._check_closed()
        timer = self.timer(when, callback, args, self, context)
        timer._order = self._timers = self._timers + 1
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer


class Policy(events._BaseDefaultEventLoopPolicy):
    def __init__(self, factory):
        super().__init__()
        self._loop_factory = factory


def install(virtual, until, factory):
    EventLoop.clock = Clock(virtual, until)
    events._set_running_loop(None)
    events._set_event_loop_policy(Policy(factory))
    asyncio.EventLoop = factory
