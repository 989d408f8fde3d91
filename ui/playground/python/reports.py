"""What Python reports besides a program's output: warnings, exceptions that no task awaited, and how a program failed."""
import asyncio
import json
import sys
import traceback
import warnings
from asyncio import events

import _host

from . import places, waits
from .places import FILE

LONGEST = 2000  # characters of a text
MOST_FRAMES = 100
MOST_PARTS = 20  # exceptions of a group that are told one by one


def send(text, stack):
    recorder = getattr(events._get_running_loop(), 'recorder', None)
    if recorder is not None:
        recorder.send()
    _host.say(json.dumps({'type': 'report', 'failure': {'text': text[:LONGEST], 'stack': stack}}))


def stack_of(error):
    """The program's frames of its traceback, newest first."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == FILE]
    return [
        {'function': frame.name, 'file': FILE, 'line': max(1, frame.lineno or 1), 'column': (frame.colno or 0) + 1}
        for frame in reversed(frames[-MOST_FRAMES:])
    ]


def failure(error):
    """The exception as the page shows it."""
    stack = stack_of(error)
    if isinstance(error, SyntaxError) and error.filename == FILE:
        stack.insert(0, {'function': '', 'file': FILE, 'line': max(1, error.lineno or 1), 'column': max(1, error.offset or 1)})
    return {'text': text_of(error)[:LONGEST], 'stack': stack[:MOST_FRAMES]}


def text_of(error):
    if isinstance(error, SyntaxError):
        return f'{type(error).__name__}: {error.msg}'
    text = ''.join(traceback.TracebackException(type(error), error, None).format_exception_only()).strip()
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.partition('.')[0] not in sys.stdlib_module_names:
        text += ": this page has Python's standard library only"
    if isinstance(error, BaseExceptionGroup):
        text = f'{type(error).__name__}: {error}'
        for part in list(leaves(error))[:MOST_PARTS]:
            place = next(iter(stack_of(part)), None)
            text += f'\n  {text_of(part)}' + ('' if place is None else f', in line {place["line"]}')
    return text


def leaves(error):
    for part in error.exceptions:
        if isinstance(part, BaseExceptionGroup):
            yield from leaves(part)
        else:
            yield part


def on_warning(message):
    """In place of warnings._showwarnmsg."""
    origin = getattr(message.source, 'cr_origin', None) or ()
    stack = [{'function': function, 'file': FILE, 'line': line, 'column': 1} for file, line, function in origin if file == FILE]
    if not stack and message.filename == FILE:
        stack = [{'function': '', 'file': FILE, 'line': max(1, message.lineno), 'column': 1}]
    # The origin of a coroutine is also in the text.
    text = str(message.message).partition('\nCoroutine created at')[0]
    send(f'{message.category.__name__}: {text}', stack)


def on_unraisable(unraisable):
    error = unraisable.exc_value
    text = unraisable.err_msg or f'Exception ignored in {unraisable.object!r}'
    send(f'{text}: {text_of(error)}' if error is not None else text, [] if error is None else stack_of(error))


def on_exception(context):
    """In place of a loop's default exception handler, which logs."""
    error = context.get('exception')
    text = context.get('message') or 'Unhandled exception in event loop'
    if error is not None:
        send(f'{text}: {text_of(error)}', stack_of(error))
        return
    future = context.get('task') or context.get('future')
    stack = []
    if isinstance(future, asyncio.Task):
        text = f'{text}: {future.get_name()}'
        frames = waits.frames_of(future.get_coro())
        stack = [places.of(frame) for frame in reversed(frames) if places.is_program(frame.f_code)]
        # A coroutine that is collected too has no frame any more.
        place = getattr(getattr(future, '_known', None), 'place', None)
        if not stack and place is not None:
            stack = [place]
    send(text, stack)


def install():
    warnings._showwarnmsg = on_warning
    sys.unraisablehook = on_unraisable
    sys.set_coroutine_origin_tracking_depth(1)
