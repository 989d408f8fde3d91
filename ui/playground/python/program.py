"""Runs one program of the page, and says how it ended."""
import asyncio
import json
import sys
import traceback
import types
from asyncio import events

import _host

from . import loop

FILE = 'program.py'


class Output:
    """What the program prints, line by line."""

    encoding = 'utf-8'

    def __init__(self):
        self.rest = ''

    def write(self, text):
        *lines, self.rest = (self.rest + text).split('\n')
        for line in lines:
            self.line(line)
        return len(text)

    def line(self, text):
        running = events._get_running_loop()
        if isinstance(running, loop.EventLoop):
            running.recorder.printed(text)
        else:
            _host.say(json.dumps({'type': 'line', 'text': text}))

    def flush(self):
        pass

    def isatty(self):
        return False

    def end(self):
        if self.rest:
            self.write('\n')


def failure(error):
    stack = [
        {'function': frame.name, 'file': FILE, 'line': frame.lineno or 1, 'column': (frame.colno or 0) + 1}
        for frame in reversed(traceback.extract_tb(error.__traceback__)) if frame.filename == FILE
    ]
    text = ''.join(traceback.format_exception_only(error)).strip()
    return {'text': text, 'stack': stack[:100]}


def ended(outcome, error=None):
    return json.dumps({'outcome': outcome, 'failure': None if error is None else failure(error), 'note': None})


def start(code, clock, until):
    """Returns the ending as JSON."""
    loop.install(clock == 'virtual', until)
    module = types.ModuleType('__main__')
    sys.modules['__main__'] = module
    output = sys.stdout = sys.stderr = Output()
    try:
        exec(compile(code, FILE, 'exec'), module.__dict__)
        return ended('returned')
    except SystemExit:
        return ended('returned')
    except (KeyboardInterrupt, asyncio.CancelledError):
        return ended('cancelled')
    except BaseException as error:
        return ended('raised', error)
    finally:
        output.end()
