"""Runs a Python program on a loop whose clock jumps, and gives back what it printed, each line with its time."""
import asyncio
import builtins
import io
import json
import time
from asyncio import base_events, events


class VirtualLoop(base_events.BaseEventLoop):
    def __init__(self):
        super().__init__()
        self._clock_resolution = 1e-9
        self._selector = self
        self._now = 0.0
        self._order = 0

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
        # Equal deadlines fire in the order they were set; CPython's heap leaves that open.
        self._order += 1
        timer = Timer(when, callback, args, self, context)
        timer.order = self._order
        base_events.heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer


class Timer(events.TimerHandle):
    def __lt__(self, other):
        return (self._when, self.order) < (other._when, other.order)


def run_twin(source, helper, parameters):
    loop = VirtualLoop()
    printed = []

    def show(*values):
        text = io.StringIO()
        builtins.print(*values, file=text, end='')
        printed.append([round(loop.time(), 6), text.getvalue()])

    def block(seconds):
        loop._now += seconds

    scope = {'__name__': 'twin', 'print': show}
    exec(helper, chance := {})
    exec(source, scope)
    parameters = json.loads(parameters)
    seed = parameters.pop('seed', None)
    if seed is not None:
        parameters['random'] = chance['Chance'](seed)
    slept, time.sleep = time.sleep, block
    # Pyodide has a loop of its own, driven by the browser or by Node, and marks it as running now and then.
    outer = events._get_running_loop()
    events._set_running_loop(None)
    try:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(scope['main'](**parameters))
    finally:
        time.sleep = slept
        events._set_running_loop(outer)
    return json.dumps(printed)
