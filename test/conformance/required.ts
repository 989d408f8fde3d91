// What a test run must have exercised, to its completion, for its result to mean anything.
import { BARE } from './tree.ts'

const each = (object: string, ...methods: string[]): string[] => methods.map((name) => `${object}.${name}`)

export const REQUIRED: string[] = [
  'sleep(0)', 'sleep(positive)', 'await coroutine', 'await Task', 'await Future', 'await Gather', 'await Shield', 'await upcoming', 'callback run',
  'createTask', 'createTask({ name })', 'createTask({ eagerStart })', 'createTask({ context })', 'loop.createTask', 'loop.setTaskFactory', 'eagerTaskFactory',
  'gather', 'gather({ returnExceptions })', 'gather(duplicates)', 'gather(the same coroutine twice)', 'gather(gather)', 'ensureFuture',
  'shield(coroutine)', 'shield(Task)', 'shield(Future)',
  'wait({ returnWhen: FIRST_COMPLETED })', 'wait({ returnWhen: FIRST_EXCEPTION })', 'wait({ returnWhen: ALL_COMPLETED })', 'wait({ timeout })',
  'waitFor(coroutine, 0)', 'waitFor(coroutine, null)', 'waitFor(coroutine, positive)', 'waitFor(future, 0)', 'waitFor(future, positive)',
  'asCompleted', 'asCompleted({ timeout })', 'asyncFor', 'asyncFor that ends early', 'asyncFor of asCompleted', 'timeout', 'timeout(null)', 'timeoutAt', 'nested timeout', 'taskGroup', 'nested taskGroup',
  ...each('TaskGroup', 'cancel', 'createTask', 'createTask({ eagerStart })'), ...each('Timeout', 'reschedule', 'when', 'expired'),
  ...each('Queue', 'put', 'get', 'putNowait', 'getNowait', 'join', 'taskDone', 'shutdown', 'qsize', 'empty', 'full'),
  ...each('PriorityQueue', 'put', 'get', 'putNowait', 'getNowait'), ...each('LifoQueue', 'put', 'get', 'putNowait', 'getNowait'),
  ...each('Lock', 'acquire', 'release', 'with', 'locked'), ...each('Semaphore', 'acquire', 'release', 'with', 'locked'),
  ...each('BoundedSemaphore', 'acquire', 'release', 'with'), ...each('Event', 'wait', 'set', 'clear', 'isSet'),
  ...each('Condition', 'acquire', 'release', 'with', 'wait', 'waitFor', 'notify', 'notifyAll'),
  ...each('Barrier', 'wait', 'with', 'abort', 'reset', 'nWaiting', 'broken', 'parties'),
  ...each('Future', 'setResult', 'setException', 'cancel', 'cancel(message)', 'result', 'exception', 'addDoneCallback'),
  ...each('Task', 'cancel', 'cancel(message)', 'cancelling', 'uncancel', 'result', 'exception', 'getName', 'setName', 'addDoneCallback', 'removeDoneCallback'),
  ...each('Gather', 'cancel'), ...each('Shield', 'cancel'), ...each('currentTask()', 'cancel', 'uncancel', 'cancelling'), 'cancel of main', 'allTasks',
  ...each('loop', 'callSoon', 'callLater', 'callAt', 'createFuture'), 'Handle.cancel', 'TimerHandle.cancel',
  ...each('StreamReader', 'read', 'readline', 'readuntil', 'readexactly', 'feedData', 'feedEof', 'setException', 'atEof', 'exception'), 'TimerHandle.when',
  ...each('ContextVar', 'set', 'get', 'reset'), 'copyContext', 'Context.run', 'callback raised', 'finally', 'await in finally', 'await in except',
  ...BARE.map((value) => `raise ${value}`), 'raise new Boom', 'raise new CancelledError', 'return', 'watchdog',
  ...['CancelledError', 'TimeoutError', 'Boom', 'RuntimeError', 'ValueError', 'InvalidStateError', 'QueueEmpty', 'QueueFull', 'QueueShutDown',
    'BrokenBarrierError', 'ExceptionGroup', 'Nothing', 'Exception', 'BaseException'].map((name) => `except ${name}`),
  'except CancelledError, reraise', 'except BaseException, reraise',
]
