"""What a suspended task waits for, and where: from the chain of what it awaits."""
import gc
import types
import weakref
from asyncio import futures, locks, queues, taskgroups, tasks

from . import places

owners = weakref.WeakKeyDictionary()  # the tasks that acquired locks
names = weakref.WeakKeyDictionary()
counts = {}
queue_ids = weakref.WeakKeyDictionary()
queue_count = 0

DONE_BY = {
    locks.Lock.acquire.__code__: 'lock', locks.Event.wait.__code__: 'event', locks.Condition.wait.__code__: 'condition',
    locks.Semaphore.acquire.__code__: 'semaphore', queues.Queue.get.__code__: 'queue.get', queues.Queue.put.__code__: 'queue.put',
}
BARRIER = {locks.Barrier._block.__code__, locks.Barrier._wait.__code__}
CONDITION = {locks.Condition.wait.__code__, locks.Condition.wait_for.__code__}
SLEEP = tasks.sleep.__code__
SLEEP_ZERO = tasks.__sleep0.__code__
WAIT = tasks._wait.__code__
CANCEL_AND_WAIT = tasks._cancel_and_wait.__code__
GROUP = taskgroups.TaskGroup._aexit.__qualname__
JOIN = queues.Queue.join.__code__


def frames_of(coroutine):
    """The frames of a suspended coroutine, outermost first."""
    frames = []
    while coroutine is not None:
        if isinstance(coroutine, types.CoroutineType):
            frame, coroutine = coroutine.cr_frame, coroutine.cr_await
        elif isinstance(coroutine, types.GeneratorType):
            frame, coroutine = coroutine.gi_frame, coroutine.gi_yieldfrom
        elif isinstance(coroutine, types.AsyncGeneratorType):
            frame, coroutine = coroutine.ag_frame, coroutine.ag_await
        else:
            # An awaitable of an asynchronous generator, which does not say its generator.
            coroutine = next((one for one in gc.get_referents(coroutine) if isinstance(one, (types.AsyncGeneratorType, types.CoroutineType))), None)
            if coroutine is None or len(frames) > 1000:
                return frames
            continue
        if frame is None:
            return frames
        frames.append(frame)
    return frames


def name_of(owner):
    name = names.get(owner)
    if name is None:
        kind = type(owner).__name__
        if isinstance(owner, queues.Queue):
            name = f'<{kind} {queue_id(owner)} maxsize={owner.maxsize}>'
        else:
            counts[kind] = counts.get(kind, 0) + 1
            name = f'<{kind} {counts[kind]}>'
        names[owner] = name
    return name


def queue_id(queue):
    global queue_count
    number = queue_ids.get(queue)
    if number is None:
        queue_count += 1
        number = queue_ids[queue] = queue_count
    return number


def describe(recorder, task):
    """The wait as the schema has it, and the place in the program."""
    frames = frames_of(task.get_coro())
    place = next((places.of(frame) for frame in reversed(frames) if places.is_program(frame.f_code)), None)
    return waiting(recorder, task, frames), place


def waiting(recorder, task, frames):
    future = task._fut_waiter
    frame = frames[-1] if frames else None
    code = None if frame is None else frame.f_code
    if future is None:
        return {'kind': 'yield'}
    if code is SLEEP:
        timer = frame.f_locals.get('h')
        return {'kind': 'sleep'} if timer is None else {'kind': 'sleep', 'deadline': timer.when()}
    if code in DONE_BY and future is not frame.f_locals.get('self'):
        return of_lock(recorder, DONE_BY[code], frame, frames)
    if code is WAIT:
        on = of_many(recorder, frame.f_locals['fs'], 'wait for {} of {}')
        if frame.f_locals['return_when'] != tasks.ALL_COMPLETED and sum(isinstance(one, tasks.Task) and not one.done() for one in frame.f_locals['fs']) > 1:
            on.pop('task', None)  # any of several may end it
        timer = frame.f_locals.get('timeout_handle')
        return on if timer is None else {**on, 'deadline': timer.when()}
    if code is CANCEL_AND_WAIT:
        return of_many(recorder, [frame.f_locals['fut']], 'wait for {} of {}')
    if code is not None and code.co_qualname == GROUP:
        found = frame.f_locals['self']._tasks
        return with_task(recorder, {'kind': 'gather', 'label': f'taskGroup of {len(found)}'}, found)
    if isinstance(future, tasks._GatheringFuture):
        return of_many(recorder, future._children, '{} of {}')
    if isinstance(future, tasks.Task):
        return with_task(recorder, {'kind': 'task', 'label': future.get_name()[:200]}, [future])
    return {'kind': 'future', 'label': f'<{type(future).__name__} pending>'}


def of_lock(recorder, kind, frame, frames):
    owner = frame.f_locals['self']
    outer = list(reversed(frames[:-1]))
    if kind == 'event' and outer and outer[0].f_code is JOIN:
        kind, owner = 'queue.join', outer[0].f_locals['self']
    elif kind == 'condition':
        around = next((one for one in outer if one.f_code not in CONDITION), None)
        if around is not None and around.f_code in BARRIER:
            kind, owner = 'barrier', around.f_locals['self']
    on = {'kind': kind, 'label': name_of(owner)}
    if isinstance(owner, queues.Queue):
        on['queue'] = queue_id(owner)
    holder = owners.get(owner) if kind == 'lock' else None
    if holder is not None and recorder.id_of(holder):
        on['holder'] = recorder.id_of(holder)
    return on


def of_many(recorder, found, label):
    pending = [one for one in found if isinstance(one, tasks.Task) and not one.done()]
    return with_task(recorder, {'kind': 'gather', 'label': label.format(len(pending), len(found))}, pending)


def with_task(recorder, on, found):
    first = next(iter(found), None)
    if first is not None and recorder.id_of(first):
        on['task'] = recorder.id_of(first)
    return on
