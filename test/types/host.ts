// The bridges to the rest of the program: promises, threads, plain functions, contexts and the loop's callbacks.
import {
  asyncToSync, Context, ContextVar, copyContext, createTask, currentTask, EventLoop, Future, fromAsyncIterable, fromEvent, fromPromise, getRunningLoop, print,
  runCoroutineThreadsafe, sleep, syncToAsync, toThread, VirtualClock, run, type Coroutine, type Handle, type TimerHandle, type Token,
  type ConcurrentFuture, type Executor, type Task, type TaskFactory,
} from '../../src/index.ts'
import { is } from './is.ts'

declare const stream: AsyncIterable<Uint8Array>
declare const emitter: import('node:events').EventEmitter

function* count(n: number): Coroutine<number> {
  yield* sleep(1)
  return n
}

function area(width: number, unit: string): string {
  return width + unit
}

export function* promises(): Coroutine<void> {
  is<number>()(yield* fromPromise(Promise.resolve(1)))
  is<Response>()(yield* fromPromise(signal => fetch('http://127.0.0.1/', { signal })))
  is<string>()(yield* fromPromise(signal => { is<AbortSignal>()(signal); return Promise.resolve('a') }))
  is<unknown[]>()(yield* fromEvent(emitter, 'data'))
  is<unknown[]>()(yield* fromEvent(new EventTarget(), 'data'))
  yield* fromAsyncIterable(stream).forEach(function* (chunk) { is<Uint8Array>()(chunk) })
  const step = yield* fromAsyncIterable(stream).next()
  if (step.done !== true) is<Uint8Array>()(step.value)
  const text: string = yield* fromPromise(Promise.resolve(1)) // error: TS2322
  const unawaited: number = fromPromise(Promise.resolve(1)) // error: TS2322
  fromPromise(5) // error: TS2345
  fromPromise() // error: TS2554
  fromPromise(count(1)) // error: TS2345
  fromAsyncIterable([1]) // error: TS2345
  fromEvent(emitter) // error: TS2554
  fromEvent({}, 'data') // error: TS2345
  void [text, unawaited]
}

export function* threads(): Coroutine<void> {
  const later = syncToAsync(area, { thread: 'pool' })
  is<(width: number, unit: string) => Coroutine<string>>()(later)
  is<string>()(yield* later(1, 'm'))
  is<string>()(yield* toThread(area, 1, 'm'))
  is<Future<string>>()(getRunningLoop().runInExecutor(null, area, 1, 'm'))
  later('1', 'm') // error: TS2345
  later(1) // error: TS2554
  toThread(area, '1', 'm') // error: TS2345
  toThread(area, 1) // error: TS2554
  getRunningLoop().runInExecutor(null, area, 1, 2) // error: TS2345
  syncToAsync(area, { thread: 'process' }) // error: TS2322
  syncToAsync(area, { treads: 'pool' }) // error: TS2561
  syncToAsync(5) // error: TS2345

  const now = asyncToSync(count)
  is<(n: number) => number>()(now)
  is<number>()(now(1))
  now('1') // error: TS2345
  asyncToSync(area) // error: TS2345
  asyncToSync(async () => {}) // error: TS2345
  asyncToSync(count(1)) // error: TS2345
  asyncToSync(count, { stict: true }) // error: TS2561
  is<ConcurrentFuture<number>>()(runCoroutineThreadsafe(count(1), getRunningLoop()))
  yield* sleep(0)
}

export function contexts(): void {
  const user = new ContextVar<string>('user')
  const depth = new ContextVar('depth', { default: 0 })
  is<ContextVar<number>>()(depth)
  is<string>()(user.get())
  is<string>()(user.get('nobody'))
  is<Token<string>>()(user.set('ada'))
  user.reset(user.set('ada'))
  using token = user.set('ada')
  is<Token<string>>()(token)
  is<Context>()(copyContext())
  is<string>()(copyContext().run(area, 1, 'm'))
  is<string | undefined>()(copyContext().get(user))
  user.set(5) // error: TS2345
  user.get(5) // error: TS2345
  user.reset(depth.set(1)) // error: TS2345
  user.reset('ada') // error: TS2345
  user.name = 'other' // error: TS2540
  const n: number = user.get() // error: TS2322
  new ContextVar() // error: TS2554
  new ContextVar<number>('depth', { default: 'a' }) // error: TS2322
  new ContextVar('depth', { defalt: 0 }) // error: TS2561
  copyContext().run(area, '1', 'm') // error: TS2345
  copyContext().run(area, 1) // error: TS2554
  void n
}

export function callbacks(): void {
  const loop = getRunningLoop()
  is<Handle>()(loop.callSoon(area, 1, 'm'))
  is<TimerHandle>()(loop.callLater(1, area, 1, 'm'))
  is<TimerHandle>()(loop.callAt(1, () => {}))
  is<number>()(loop.callAt(1, () => {}).when())
  is<boolean>()(loop.callSoon(() => {}).cancelled())
  is<number>()(loop.time())
  print('a', 1, null)
  void run(count(1), { clock: new VirtualClock(), debug: true, name: 'main', signal: new AbortController().signal })
  loop.callSoon(area, '1', 'm') // error: TS2769
  loop.callSoon(area, 1) // error: TS2345
  loop.callSoon(count(1)) // error: TS2345
  loop.callLater('1', area, 1, 'm') // error: TS2769
  loop.callLater(() => {}, 1) // error: TS2345
  loop.setExceptionHandler((given, context) => { is<string>()(context.message); void given })
  loop.setExceptionHandler(5) // error: TS2345
  loop.callLatr(1, () => {}) // error: TS2551
}

export function loops(executor: Executor, factory: TaskFactory, task: Task<number>): void {
  class Own extends EventLoop {
    override createTask<T>(coro: Coroutine<T>): Task<T> { return super.createTask(coro, { name: 'own' }) }
  }
  is<EventLoop>()(getRunningLoop())
  is<EventLoop>()(task.getLoop())
  is<EventLoop>()(new Future<number>({ loop: new Own() }).getLoop())
  const loop: EventLoop = new Own({ hold: false })
  is<EventLoop>()(loop.callSoon(() => {}).loop)
  is<Task<number>>()(loop.createTask(count(1), { name: 'counter' }))
  is<Future<string>>()(loop.createFuture<string>())
  is<Promise<number>>()(loop.runUntilComplete(task))
  is<Task<unknown> | null>()(currentTask())
  loop.instruments.add({
    loopStarted: (started: EventLoop) => { is<number>()(started.time()) },
    loopClosed: (closed) => { is<EventLoop>()(closed) },
    taskSuspended: (suspended, on) => { is<Task<unknown>>()(suspended); is<Task<unknown>[] | undefined>()(on.tasks); is<number | undefined>()(on.deadline) },
    reported: ({ task, future, handle }) => { is<Task<unknown> | undefined>()(task); is<Future<unknown> | undefined>()(future); is<Handle | undefined>()(handle) },
  })
  loop.setExceptionHandler((given: EventLoop, context) => given.defaultExceptionHandler(context))
  loop.setTaskFactory((given: EventLoop, coro, options) => factory(given, coro, options))
  is<Future<string>>()(executor.submit(loop, area, [1, 'm']))
  if (task.getLoop() instanceof Own) is<Own>()(task.getLoop() as Own)
  new EventLoop({ clok: new VirtualClock() }) // error: TS2561
  loop.createTask(createTask) // error: TS2345
  loop.callExceptionHandler({ exception: 1 }) // error: TS2345
  loop.callExceptionHandler({ message: 'a', task: {} }) // error: TS2740
  loop.host = new VirtualClock() // error: TS2540
}
