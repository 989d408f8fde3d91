"""CPython's side of the proof: runs programs on a loop whose clock jumps, and gives back what they logged.

What is an accident in CPython is made an order here: timers with the same deadline fire in the order they were
scheduled, and every set that asyncio iterates over keeps the order of insertion. TaskGroup has the `cancel` of Python
3.15, by the rules of that version. Nothing else is changed. The loop is that of virtualloop.py, which has to run before
this.
"""
import asyncio
import contextvars
import gc
import inspect
import json
import logging
import re
import sys
import warnings
from asyncio import events, runners, streams, taskgroups, tasks

TURNS = 20_000  # iterations of the loop after which a program is given up
WATCHDOG = 64  # seconds after which every task is cancelled, again and again
ROUNDS = 24  # how often the watchdog does so before the program is given up


class OrderedSet(dict):
    """A set that iterates in the order of insertion; what asyncio uses of `set`."""

    def __init__(self, items=()):
        super().__init__((item, True) for item in items)

    def add(self, item):
        self[item] = True

    def discard(self, item):
        super().pop(item, None)

    def pop(self):
        for item in self:
            del self[item]
            return item
        raise KeyError('pop from an empty set')

    def remove(self, item):
        del self[item]


class GivenUp(SystemExit):
    """The program does not end by itself."""


class Counted:
    """Gives a program up that never ends, and remembers the order in which its tasks were created."""

    def __init__(self):
        super().__init__()
        self._turns = 0
        self._created = {}  # the coroutine of each task: its place in the order of creation
        self._kept = []

    def select(self, timeout):
        self._turns += 1
        if timeout is None or self._turns > TURNS:
            raise GivenUp
        return super().select(timeout)

    def create_task(self, coro, **kwargs):
        self._created[coro] = len(self._created)
        task = super().create_task(coro, **kwargs)
        self._kept.append(task)
        return task


class OracleLoop(Counted, VirtualLoop):
    pass


unordered_all_tasks = tasks.all_tasks


def all_tasks(loop=None):
    if loop is None:
        loop = asyncio.get_running_loop()
    return sorted(unordered_all_tasks(loop), key=lambda task: loop._created[task.get_coro()])


class NoLoop:
    """A policy without a loop: what is collected after its program has ended finds none to run on."""

    def get_event_loop(self):
        raise RuntimeError('no loop is running')


def rewrite(module, name, *edits):
    """Defines a class of asyncio's once more, with some lines of its source changed, each of which has to be there once."""
    source = inspect.getsource(getattr(module, name))
    for was, now in edits:
        if source.count(was) != 1:
            raise RuntimeError(f'{name} is not as it was: {was!r} is there {source.count(was)} times')
        source = source.replace(was, now)
    exec(source, module.__dict__)


def make_deterministic():
    events._event_loop_policy = NoLoop()
    tasks.set = taskgroups.set = OrderedSet
    tasks.all_tasks = asyncio.all_tasks = all_tasks
    was = '{ensure_future(aw, loop=loop) for aw in set(aws)}'
    rewrite(tasks, '_AsCompletedIterator', (was, f'set([{was[1:-1]}])'))


def add_stream_check():
    """What is an assertion in CPython is an error of the runtime's here."""
    rewrite(streams, 'StreamReader', ("assert not self._eof, 'feed_data after feed_eof'", "if self._eof: raise RuntimeError('feed_data after feed_eof')"))
    asyncio.StreamReader = streams.StreamReader


def cancel_group(self):
    if self._aborting or (self._exiting and not self._tasks):
        return
    self._abort()
    if not self._parent_cancel_requested:
        self._parent_cancel_requested = True
        self._parent_task.cancel()


def add_group_cancel():
    """What Python 3.15 has: TaskGroup.cancel (gh-108951), with gh-155418 and gh-155433 mended."""
    own = 'if self._parent_task.uncancel() == 0:'
    rewrite(
        taskgroups, 'TaskGroup',
        # A body that only its own group interrupted ends well.
        ('    def create_task(self', '        return True\n\n    def create_task(self'),
        # An eager task may cancel the group before it is one of its tasks.
        ('task.add_done_callback(self._on_task_done)\n', 'task.add_done_callback(self._on_task_done)\n        cancel_late(self, task)\n'),
        # A request beyond the group's own came from outside: it is passed on, though the wait took it for the group's.
        ('while self._tasks:', 'interruption = None\n        while self._tasks:'),
        ('except exceptions.CancelledError as ex:\n', 'except exceptions.CancelledError as ex:\n                interruption = ex\n'),
        (own, f'if (left := self._parent_task.uncancel()) and not propagate_cancellation_error:\n'
              f'                propagate_cancellation_error = interruption\n            if left == 0:'),
    )
    taskgroups.TaskGroup.cancel = cancel_group
    taskgroups.cancel_late = lambda group, task: group._aborting and not task.done() and task.cancel()
    asyncio.TaskGroup = taskgroups.TaskGroup


class Boom(Exception):
    """The error that programs raise themselves."""


class Nothing(Exception):
    """A value that is no error, thrown: only JavaScript can. Shows as the value does there."""

    shown = {'undefined': 'null', 'null': 'null', '0': '0', "''": "''"}
    text = {"''": ''}


REPORTS = (
    ('Exception in callback', 'callback'), ('during asyncio.run() shutdown', 'shutdown'), ('in shielded future', 'shielded'),
    ('has errored out but its parent', 'orphan'),
)
PLAIN_NAME = re.compile(r'Task-(\d+)')


def seconds(value):
    micros = round(value * 1e6)
    return str(micros // 1_000_000) if micros % 1_000_000 == 0 else str(micros / 1e6)


class Support:
    """What a program logs with; support.ts is its twin."""

    def __init__(self):
        self.lines = []
        self.loop = None
        self.names_from = 0
        self.began = 0.0
        self.barks = 0

    def start(self):
        self.loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        self.began = self.loop.time()
        self.names_from = int(task.get_name()[5:]) - 1
        self.loop.set_exception_handler(self.on_exception)
        self.loop.call_later(WATCHDOG, self.watch)
        return self.loop, task

    def watch(self):
        self.write('watchdog')
        self.barks += 1
        if self.barks > ROUNDS:
            raise GivenUp
        for task in asyncio.all_tasks():
            task.cancel('watchdog')
        self.loop.call_later(1, self.watch)

    def on_exception(self, loop, context):
        # What is reported when something is collected has no place in the order.
        for words, kind in REPORTS:
            if words in context['message']:
                self.write(f'{kind} raised {self.show(context["exception"])}')

    def write(self, text):
        loop = self.loop
        task = asyncio.current_task(loop)
        who = '-'
        if task is not None:
            who = self.name(task)
            if task.cancelling():
                who = f'{who}!{task.cancelling()}'
        self.lines.append(f'{seconds(loop._now - self.began)} {who} {text}')

    def at(self, label):
        self.write(f'{label} ...')
        return label

    def log(self, label, value):
        self.write(f'{label} = {self.show(value)}')

    def look(self, label, value):
        self.write(f'{label} ? {self.show(value)}')
        return value

    def since(self, when):
        return None if when is None else when - self.began

    def names(self, found):
        return [self.name(task) for task in found]

    def twice(self, value):
        return [value, value]

    def sets(self, result):
        return [list(part) for part in result]

    def name(self, task):
        return self.plain(task.get_name())

    def plain(self, name):
        plain = PLAIN_NAME.fullmatch(name)
        return f'Task-{int(plain[1]) - self.names_from}' if plain else name

    def error(self, error):
        if isinstance(error, Nothing):
            return f'not an error: {Nothing.text.get(error.args[0], error.args[0])}'
        name = type(error).__name__
        if isinstance(error, BaseExceptionGroup):
            return f'{name}[{", ".join(map(self.error, error.exceptions))}]'
        if isinstance(error, asyncio.IncompleteReadError):
            return f'{name}({self.show(error.partial)}, {self.show(error.expected)})'
        if isinstance(error, asyncio.LimitOverrunError):
            return f'{name}({error.consumed})'
        if isinstance(error, (Boom, asyncio.CancelledError)):
            return f"{name}('{error.args[0] if error.args else ''}')"
        return name

    def state(self, future, depth):
        if not future.done():
            return 'pending'
        if future.cancelled():
            return 'cancelled'
        if future.exception() is not None:
            return self.error(future.exception())
        return self.show(future.result(), depth + 1)

    def show(self, value, depth=0):
        if value is None:
            return 'null'
        if isinstance(value, bool):
            return 'true' if value else 'false'
        if isinstance(value, (int, float)):
            return seconds(value)
        if isinstance(value, str):
            return f"'{value}'"
        if isinstance(value, bytes):
            return f'bytes {json.dumps(value.decode())}'
        if depth > 3:
            return '...'
        if isinstance(value, Nothing):
            return Nothing.shown[value.args[0]]
        if isinstance(value, BaseException):
            return self.error(value)
        if isinstance(value, asyncio.Task):
            return f'{self.name(value)}({self.state(value, depth)})'
        if isinstance(value, asyncio.Future):
            return f'Future({self.state(value, depth)})'
        if isinstance(value, (list, tuple, OrderedSet)):
            return f'[{", ".join(self.show(item, depth + 1) for item in value)}]'
        if isinstance(value, asyncio.Handle):
            return f'Handle({self.show(value.cancelled())})'
        if isinstance(value, asyncio.Timeout):
            return f'Timeout({self.show(value.expired())})'
        if isinstance(value, asyncio.Queue):
            return f'Queue({value.qsize()})'
        if isinstance(value, asyncio.StreamReader):
            return f'StreamReader({self.show(value.at_eof())})'
        if isinstance(value, asyncio.Event):
            return f'Event({self.show(value.is_set())})'
        if isinstance(value, asyncio.Barrier):
            return f'Barrier({value.n_waiting}, {self.show(value.broken)})'
        if isinstance(value, (asyncio.Lock, asyncio.Semaphore, asyncio.Condition)):
            return f'Lock({self.show(value.locked())})'
        return 'object'


def run_one(source, left):
    support = Support()
    module = {
        'asyncio': asyncio, 'contextvars': contextvars, 'Boom': Boom, 'Nothing': Nothing,
        **{name: getattr(support, name) for name in ('start', 'at', 'log', 'look', 'since', 'plain', 'names', 'sets', 'twice')},
    }
    exec(compile(source, 'program', 'exec'), module)
    loop = OracleLoop()
    try:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            try:
                outcome = f'main returned {support.show(runner.run(module["main"]()))}'
            except GivenUp:
                raise
            except BaseException as error:
                outcome = f'main raised {support.error(error)}'
    except GivenUp:
        return {'lines': list(support.lines), 'ended': False}
    support.lines.append(f'{seconds(loop._now - support.began)} {outcome}')
    support.lines.extend(f'left {name} {support.show(module[name])}' for name in left)
    # A copy: what is collected later may still log.
    return {'lines': list(support.lines), 'ended': True}


def run_many(request):
    """Takes `[[source, names of what to look at in the end], ...]` as JSON, and gives the traces likewise."""
    running = events._get_running_loop()
    events._set_running_loop(None)
    gc.disable()
    answers = []
    try:
        for source, left in json.loads(request):
            answer = run_one(source, left)
            answers.append(answer)
            # What a program given up leaves behind must not come alive inside a later program.
            if not answer['ended'] or len(answers) % 25 == 0:
                gc.collect()
    finally:
        gc.collect()
        gc.enable()
        events._set_running_loop(running)
    return json.dumps(answers)


make_deterministic()
add_group_cancel()
add_stream_check()
warnings.simplefilter('ignore')
logging.getLogger('asyncio').disabled = True
sys.unraisablehook = lambda unraisable: None
