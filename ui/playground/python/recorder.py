"""Tells the page what a loop does, as plain facts for its EventBuilder, and changes nothing of the order: it adds no callback,
handle or task.

The handles of a RecordedLoop know the tasks whose steps they are. A task is a subclass of CPython's own, which says when it
is made and cancelled. What queues and locks do is seen by sys.monitoring, in a few functions of asyncio.
"""
import asyncio
import json
import sys
from asyncio import events, exceptions, locks, queues, tasks

import _host

from . import loop, places, reports, waits

MOST = 64  # facts that may wait
LATEST = 0.004  # seconds for which they may, while steps go on
LONGEST_NAME = 200  # characters
LONGEST = 80  # characters of an error
ENDING = {'BaseEventLoop.shutdown_asyncgens', 'BaseEventLoop.shutdown_default_executor'}  # tasks by which a runner ends

current_task = tasks.current_task


class Known:
    """What is known of a task. Its state is 'new', 'ready', 'running', 'waiting' or 'done'."""

    __slots__ = ['id', 'state', 'place', 'caught']

    def __init__(self, id):
        self.id = id
        self.state = 'new'
        self.place = None  # where it waits, or waited last
        self.caught = None  # its cancellation, if its program has caught that: see Caught


class Caught:
    """A cancellation that a task's program has caught. A `finally` that awaits looks the same at its first wait."""

    __slots__ = ['place', 'waited_at', 'waits']

    def __init__(self, place, waited_at):
        self.place = place
        self.waited_at = waited_at
        self.waits = 0


def known_of(task):
    """None for no task, and for one that is not told."""
    return getattr(task, '_known', None)


class Recorder:
    def __init__(self, loop, number):
        self.loop = loop
        self.number = number
        self.facts = []
        self.sent = 0.0
        self.count = 0
        self.announced = False
        self.embryos = {}  # tasks that are being made, and may run before that is done: their coroutines and parents
        self.change = None  # what a queue is doing: it, the operation, its size, and what it has unfinished

    # What leaves.

    def tell(self, name, *values):
        self.facts.append((name, self.loop.time(), *values))
        if len(self.facts) >= MOST:
            self.send()

    def send(self):
        if self.facts:
            facts, self.facts = self.facts, []
            _host.tell(self.number, json.dumps(facts))

    def flush(self):
        self.send()
        _host.flush()

    def say(self, message):
        self.send()
        _host.say(json.dumps(message))

    # The loop.

    def started(self):
        if not self.announced:
            self.announced = True
            self.about_loop('loop.started')

    def closed(self):
        self.about_loop('loop.closed')
        self.flush()

    def about_loop(self, kind):
        clock = 'virtual' if self.loop.clock.virtual else 'real'
        self.facts.append(('loop', kind, self.loop.time(), {'name': 'playground', 'pid': 0, 'clock': clock}))

    # Tasks.

    def id_of(self, task):
        known = known_of(task)
        return 0 if known is None else known.id

    def running(self):
        """The task that runs now, with everything told that happened before."""
        self.settle()
        return current_task(self.loop)

    def settle(self):
        """Tells what has happened without a word: a queue has changed, an eager task has begun, a step has ended."""
        if self.change is not None:
            self.settle_change()
        task = current_task(self.loop)
        if task is None:
            return
        self.meet(task)
        known = known_of(task)
        if known is None:
            return
        self.begin_eagerly(known)
        # A task that is to be cancelled at its next wait cancels what it waits for within its step.
        if known.state == 'running' and (task.done() or task._fut_waiter is not None):
            self.end_step(task, known)

    def meet(self, task):
        """Tells that the task was made, if that is not known."""
        if hasattr(task, '_known') or not isinstance(task, Task):
            return
        coroutine, parent = self.embryos.get(task, (task.get_coro(), None))
        if getattr(coroutine, '__qualname__', '') in ENDING:
            task._known = None
            return
        self.count += 1
        task._known = known = Known(self.count)
        self.tell('created', known.id, task.get_name()[:LONGEST_NAME], getattr(coroutine, '__name__', type(coroutine).__name__), self.id_of(parent), None)

    def creating(self, task, coroutine):
        self.embryos[task] = coroutine, self.running()

    def created(self, task):
        """The task has been made; an eager step, if it had one, is over."""
        if self.change is not None:
            self.settle_change()
        self.meet(task)
        known = known_of(task)
        if known is not None:
            self.begin_eagerly(known)
            if known.state == 'running':
                self.end_step(task, known)
        self.embryos.pop(task, None)

    def begin_eagerly(self, known):
        if known.state == 'new':
            known.state = 'running'
            self.tell('begun', known.id, True)

    def woken(self, task, waker):
        """The task's step was put into the ready queue."""
        self.meet(task)
        known = known_of(task)
        if known is None:
            return
        if known.state == 'running':
            # It is told before the step ends: the task has yielded, or what it waits for was cancelled at once.
            self.end_step(task, known)
            if known.state == 'ready':
                return
        known.state = 'ready'
        self.tell('ready', known.id, self.id_of(waker))

    def begin(self, task):
        self.loop.watch.begin()
        known = known_of(task)
        if known is not None:
            known.state = 'running'
            self.tell('begun', known.id, False)
        # A step may block the thread: the page should know whose it is.
        if self.loop.watch.since - self.sent > LATEST:
            self.sent = self.loop.watch.since
            self.flush()

    def end(self, task):
        self.loop.watch.end()
        if self.change is not None:
            self.settle_change()
        known = known_of(task)
        if known is not None and known.state == 'running':
            self.end_step(task, known)

    def end_step(self, task, known):
        if task.done():
            self.finish(task, known)
            return
        waiting, place = waits.describe(self, task)
        if known.caught is not None:
            self.waits_after(task, known, place)
        known.place = place
        place = [] if place is None else [place]
        if waiting['kind'] == 'yield':
            known.state = 'ready'
            self.tell('yielded', known.id, *place)
        else:
            known.state = 'waiting'
            self.tell('suspended', known.id, waiting, *place)

    def finish(self, task, known):
        known.state = 'done'
        error = None if task.cancelled() else task._exception
        if task.cancelled():
            self.tell('finished', known.id, 'cancelled')
        elif error is not None:
            self.tell('finished', known.id, 'raised', shown(error))
        else:
            if known.caught is not None and known.caught.waits > 0:
                self.swallowed(task, known)
            self.tell('finished', known.id, 'returned')

    # Cancellations that a program catches.

    def waits_after(self, task, known, place):
        known.caught.waits += 1
        if place is not None and place == known.caught.waited_at:
            self.swallowed(task, known)

    def swallowed(self, task, known):
        caught, known.caught = known.caught, None
        # Without a request that is left, something has handled it, as a timeout does.
        if task.cancelling() > 0:
            text = f'{task.get_name()} caught its cancellation and went on: re-raise the CancelledError, or call uncancel() if that is meant'
            reports.send(text, [] if caught.place is None else [caught.place])

    def cancelling(self, task, message):
        by = self.running()
        if not task.done():
            self.tell('cancelling', self.id_of(task), self.id_of(by), '' if message is None else str(message)[:LONGEST_NAME])

    def printed(self, text):
        self.tell('printed', self.id_of(self.running()), text)

    # Queues.

    def changing(self, queue, operation):
        self.settle()
        self.change = (queue, operation, queue.qsize(), queue._unfinished_tasks)

    def settle_change(self):
        queue, operation, size, unfinished = self.change
        now, left = queue.qsize(), queue._unfinished_tasks
        if (now, left) == (size, unfinished):
            return
        self.change = None
        task = current_task(self.loop)
        if operation == 'shutdown':
            for place in range(1, size - now + 1):
                self.changed(task, queue, 'get', size - place, max(0, unfinished - place))
        else:
            self.changed(task, queue, operation, now, left)

    def changed(self, task, queue, operation, size, unfinished):
        self.tell('queueChanged', self.id_of(task), waits.queue_id(queue), operation, size, unfinished, queue.maxsize)

    # What blocks the loop.

    def blocked(self, seconds, since, place):
        """Returns the name of the task that blocks the loop; None if it is a callback."""
        task = self.running()
        name = 'a callback' if task is None else task.get_name()
        known = self.id_of(task)
        event = {'type': 'loop.blocked', 'name': name, 'seconds': seconds, 'since': since}
        if known:
            event['task'] = known
        if place is not None:
            event['stack'] = [place]
        self.tell('recorded', known, event)
        return None if task is None else name


def shown(error):
    text = ' '.join(f'{type(error).__name__}: {error}'.split(' '))
    return text if len(text) <= LONGEST else text[:LONGEST - 1] + '…'


class Task(asyncio.Task):
    """CPython's task, which says when it is made and cancelled."""

    __slots__ = ['_known']

    def __init__(self, coro, *, loop=None, **options):
        on = events.get_event_loop() if loop is None else loop
        recorder = getattr(on, 'recorder', None)
        if recorder is None:
            super().__init__(coro, loop=loop, **options)
            return
        recorder.creating(self, coro)
        try:
            super().__init__(coro, loop=loop, **options)
        except BaseException:
            recorder.embryos.pop(self, None)
            raise
        recorder.created(self)

    def cancel(self, msg=None):
        recorder = getattr(self.get_loop(), 'recorder', None)
        if recorder is not None:
            recorder.cancelling(self, msg)
        return super().cancel(msg)


Task.__qualname__ = 'Task'
Task.__module__ = asyncio.Task.__module__


class Step(events.Handle):
    """A step of a task in the ready queue."""

    __slots__ = ['task']

    def _run(self):
        recorder = self._loop.recorder
        recorder.begin(self.task)
        try:
            super()._run()
        finally:
            recorder.end(self.task)


class Watched:
    """Any other callback: it is watched while it runs."""

    __slots__ = []

    def _run(self):
        self._loop.watch.begin()
        super()._run()
        self._loop.watch.end()


class Callback(Watched, events.Handle):
    __slots__ = []


class RecordedTimer(Watched, loop.Timer):
    __slots__ = []


def step_of(callback):
    """The task whose step the callback is; None if it is another callback."""
    task = getattr(callback, '__self__', None)
    if isinstance(task, tasks.Task) and (type(callback).__name__ == 'TaskStepMethWrapper' or getattr(callback, '__name__', '') == 'task_wakeup'):
        return task
    return None


class RecordedLoop(loop.EventLoop):
    timer = RecordedTimer
    watch = None  # set before the program begins

    def __init__(self):
        super().__init__()
        self.recorder = Recorder(self, self.number)

    def _call_soon(self, callback, args, context):
        task = step_of(callback)
        if task is None:
            self.recorder.settle()
            handle = Callback(callback, args, self, context)
        else:
            self.recorder.woken(task, self.recorder.running())
            handle = Step(callback, args, self, context)
            handle.task = task
        self._ready.append(handle)
        return handle

    def select(self, timeout):
        self.recorder.flush()
        return super().select(timeout)

    def run_forever(self):
        self.recorder.started()
        try:
            super().run_forever()
        finally:
            self.watch.begin()

    def close(self):
        was_closed = self.is_closed()
        super().close()
        if not was_closed:
            self.recorder.closed()


RecordedLoop.__name__ = RecordedLoop.__qualname__ = 'EventLoop'


def recorder_now():
    return getattr(events._get_running_loop(), 'recorder', None)


# What queues and locks do.

TOOL = 4
QUEUES = {
    queues.Queue.put_nowait.__code__: 'put', queues.Queue.get_nowait.__code__: 'get', queues.Queue.task_done.__code__: 'done', queues.Queue.shutdown.__code__: 'shutdown',
}


def on_start(code, offset):
    recorder = recorder_now()
    if recorder is None:
        return
    owner = sys._getframe(1).f_locals['self']
    if code in QUEUES:
        recorder.changing(owner, QUEUES[code])
    else:
        waits.owners.pop(owner, None)


def on_return(code, offset, value):
    recorder = recorder_now()
    if recorder is None:
        return
    if code in QUEUES:
        recorder.settle()
        recorder.change = None
    elif value is True:
        waits.owners[sys._getframe(1).f_locals['self']] = current_task(recorder.loop)


def on_handled(code, offset, error):
    if not isinstance(error, exceptions.CancelledError) or not places.is_program(code):
        return
    recorder = recorder_now()
    known = None if recorder is None else known_of(current_task(recorder.loop))
    if known is not None:
        known.caught = Caught(places.after(code, offset), known.place)


def on_raised_again(code, offset, error):
    if isinstance(error, exceptions.CancelledError) and places.is_program(code):
        recorder = recorder_now()
        known = None if recorder is None else known_of(current_task(recorder.loop))
        if known is not None:
            known.caught = None


def install():
    """Before the program begins."""
    asyncio.Task = tasks.Task = Task
    eager = tasks.create_eager_task_factory(Task)
    asyncio.eager_task_factory = tasks.eager_task_factory = eager
    monitoring = sys.monitoring
    monitoring.use_tool_id(TOOL, 'playground')
    monitoring.register_callback(TOOL, monitoring.events.PY_START, on_start)
    monitoring.register_callback(TOOL, monitoring.events.PY_RETURN, on_return)
    monitoring.register_callback(TOOL, monitoring.events.EXCEPTION_HANDLED, on_handled)
    monitoring.register_callback(TOOL, monitoring.events.RERAISE, on_raised_again)
    monitoring.set_events(TOOL, monitoring.events.EXCEPTION_HANDLED | monitoring.events.RERAISE)
    for code in QUEUES:
        monitoring.set_local_events(TOOL, code, monitoring.events.PY_START | monitoring.events.PY_RETURN)
    monitoring.set_local_events(TOOL, locks.Lock.acquire.__code__, monitoring.events.PY_RETURN)
    monitoring.set_local_events(TOOL, locks.Lock.release.__code__, monitoring.events.PY_START)
