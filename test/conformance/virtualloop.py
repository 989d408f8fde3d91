"""asyncio's loop with nothing outside it: when nothing is ready, the clock jumps to the next timer.

Timers with the same deadline fire in the order they were scheduled; CPython's heap leaves that open.
"""
from asyncio import base_events, events


class Timer(events.TimerHandle):
    __slots__ = ['_order']

    def __lt__(self, other):
        return (self._when, self._order) < (other._when, other._order)


class VirtualLoop(base_events.BaseEventLoop):
    def __init__(self):
        super().__init__()
        self._clock_resolution = 1e-9
        self._selector = self
        self._now = 0.0
        self._timers = 0

    def time(self):
        return self._now

    def select(self, timeout):
        if timeout is None:
            raise RuntimeError('nothing is left that could wake a task')
        self._now += timeout
        return ()

    def _process_events(self, event_list):
        pass

    def _write_to_self(self):
        pass

    def call_at(self, when, callback, *args, context=None):
        self._check_closed()
        timer = Timer(when, callback, args, self, context)
        timer._order = self._timers = self._timers + 1
        base_events.heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer
