"""Runs whole programs in virtual time, and gives back what they print, with the seconds. After virtualloop.py and oracle.py,
which make an order of what is an accident in CPython.
"""
import asyncio
import gc
import json
import sys
import time
from asyncio import events


class Clock:
    now = 0.0


class ProgramLoop(OracleLoop):
    """All loops of a program share its clock."""

    def time(self):
        return Clock.now

    def select(self, timeout):
        before = self._now
        events_ = super().select(timeout)
        Clock.now += self._now - before
        return events_


class Output:
    """What the program prints: each line at the time of its end."""

    def __init__(self):
        self.lines = []
        self.begun = ''

    def write(self, text):
        *whole, self.begun = (self.begun + text).split('\n')
        for line in whole:
            self.lines.append([round(Clock.now, 6), line])
        return len(text)

    def flush(self):
        pass


def advance(seconds):
    Clock.now += seconds


def run_program(source):
    """The lines, and how the program ended: '' or its error."""
    Clock.now = 0.0
    output = Output()
    kept = sys.stdout, time.sleep, time.time, time.monotonic, time.perf_counter, asyncio.run, events._get_running_loop()
    sys.stdout = output
    time.sleep = advance
    time.time = time.monotonic = time.perf_counter = lambda: Clock.now

    def run(main, *, debug=None, loop_factory=None):
        with asyncio.Runner(loop_factory=ProgramLoop) as runner:
            return runner.run(main)

    asyncio.run = run
    events._set_running_loop(None)
    ending = ''
    try:
        # A module of its own: dataclasses look theirs up.
        module = type(sys)('__main__')
        main = sys.modules['__main__']
        sys.modules['__main__'] = module
        try:
            exec(compile(source, 'program.py', 'exec'), module.__dict__)
        finally:
            sys.modules['__main__'] = main
    except BaseException as error:
        ending = f'{type(error).__name__}: {error}'.removesuffix(': ')
    finally:
        sys.stdout, time.sleep, time.time, time.monotonic, time.perf_counter, asyncio.run, running = kept
        events._set_running_loop(running)
    gc.collect()
    return json.dumps([output.lines, ending])
