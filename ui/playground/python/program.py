"""Runs one program of the page, and says how it ended."""
import asyncio
import gc
import inspect
import json
import linecache
import random
import sys
import types
from asyncio import events

import _host

from . import absent, loop, recorder, reports, watch
from .places import FILE

LONGEST = 2000  # characters of a line: the page shows no more


class Output:
    """What the program prints, line by line."""

    encoding = 'utf-8'
    errors = 'strict'

    def __init__(self):
        self.rest = ''

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f'write() argument must be str, not {type(text).__name__}')
        *lines, self.rest = (self.rest + text).split('\n')
        for line in lines:
            self.line(line)
        if len(self.rest) > LONGEST:
            self.end()
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def line(self, text):
        text = text[:LONGEST]
        running = events._get_running_loop()
        if isinstance(running, recorder.RecordedLoop):
            running.recorder.printed(text)
        else:
            _host.say(json.dumps({'type': 'line', 'text': text}))

    def flush(self):
        pass

    def isatty(self):
        return False

    def writable(self):
        return True

    def end(self):
        if self.rest:
            self.write('\n')


def ended(outcome, failure=None, note=None):
    return {'outcome': outcome, 'failure': failure, 'note': note}


def run(code, module):
    try:
        exec(compile(code, FILE, 'exec'), module)
    except SystemExit as error:
        return ended('returned', note=None if error.code in (None, 0) else f'It called sys.exit({error.code!r}).')
    except (KeyboardInterrupt, asyncio.CancelledError):
        return ended('cancelled', note=loop.EventLoop.clock.note)
    except BaseException as error:
        return ended('raised', reports.failure(error), loop.EventLoop.clock.note)
    if loop.EventLoop.count == 0 and any(inspect.iscoroutinefunction(value) for value in module.values()):
        return ended('returned', note='No loop ran: call asyncio.run(main()).')
    return ended('returned', note=loop.EventLoop.clock.note)


def start(code, clock, until, recorded=True):
    """Returns the ending as JSON. A test may run it unrecorded."""
    random.seed()  # a snapshot has the same seed for all programs
    factory = recorder.RecordedLoop if recorded else loop.EventLoop
    loop.install(clock == 'virtual', until, factory)
    if recorded:
        recorder.install()
    reports.install()
    absent.install(factory)
    factory.watch = watch.install(loop.EventLoop.clock)
    module = types.ModuleType('__main__')
    sys.modules['__main__'] = module
    linecache.cache[FILE] = len(code), None, code.splitlines(True), FILE
    output = sys.stdout = sys.stderr = Output()
    ending = run(code, module.__dict__)
    output.end()
    # As when an interpreter ends: what is left is dropped, and reports that it was never awaited or retrieved.
    module.__dict__.clear()
    gc.collect()
    output.end()
    return json.dumps(ending)
