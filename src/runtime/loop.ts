// The event loop: a ready queue, timers, and turns. A turn runs until nothing is ready or its time is up; the host decides
// when the next turn starts. The order inside a turn is CPython's, iteration by iteration.
import type { AbstractEventLoop, ExceptionContext, ExceptionHandler, Executor, TaskFactory } from './abstract-loop.ts'
import type { Context } from './context.ts'
import type { Awaitable, Coroutine } from './coroutine.ts'
import type { Runnable } from './ready.ts'
import type { Timer } from './timers.ts'
import { Context as ContextClass, copyContext, snapshot } from './context.ts'
import { describable, describe } from './describe.ts'
import { Driver, type DrivenLoop } from './driver.ts'
import { handOver, reportContext } from './exception-handler.ts'
import { RuntimeError } from './exceptions.ts'
import { requireFinite } from './checks.ts'
import { ensureFuture } from './ensure.ts'
import { Future } from './future.ts'
import { FIRE, Handle, TimerHandle, type Callback } from './handle.ts'
import { defaultHost, type Host } from './host.ts'
import { Instruments } from './instruments.ts'
import { ReadyQueue } from './ready.ts'
import { running } from './running.ts'
import { Task, type TaskLoop, type TaskOptions } from './task.ts'
import { LiveMap } from './live-map.ts'
import { TimerHeap } from './timers.ts'
import { turn } from './turn.ts'
import { reportUnawaited, watchGenerators } from './unawaited.ts'
import { awaiting, mustBeAwaited } from './returned.ts'
import { reportFailures } from './unretrieved.ts'
import { originOf } from './origins.ts'
import { HostExecutor } from './executor.ts'

export interface LoopOptions {
  /** The clock, for example a `VirtualClock`. Default: the real one. */
  clock?: Host | undefined
  /** Debug mode: record where objects are made and tasks are suspended, and check more. Default: the host's (on Node, LOOPSCOPE_DEBUG=1). */
  debug?: boolean | undefined
  /** Whether a running loop keeps the process alive. Default: yes, as a blocked `select` does. */
  hold?: boolean | undefined
}

/** An event loop: `new EventLoop(options)` makes one. */
export interface EventLoop extends AbstractEventLoop {}

interface EventLoopConstructor {
  new (options?: LoopOptions): EventLoop
  readonly prototype: EventLoop
}

// A class with private members would be a different type than the one that `getRunningLoop` returns.
export const EventLoop: EventLoopConstructor = class EventLoop implements TaskLoop, DrivenLoop {
  readonly instruments: Instruments
  debug: boolean
  slowCallbackDuration = 0.1
  readonly host: Host

  probe: Instruments | null = null
  readonly ready = new ReadyQueue()
  readonly timers = new TimerHeap()
  readonly failures = new Set<object>()
  readonly unawaited = new Set<object>()
  hostWork = 0
  closeGenerators: (() => Coroutine<void>) | null = null

  stopping = false
  readonly tasks = new LiveMap<Task<unknown>>()

  readonly #driver = new Driver(this)
  #nested = false
  #announced = false
  #closed = false
  #taskIds = 0
  #taskNumbers = 0
  #taskFactory: TaskFactory | null = null
  #exceptionHandler: ExceptionHandler | null = null
  #executor: Executor | null = null
  #executorShutDown = false
  readonly #signals = new Map<string, () => void>()
  readonly #atClose = new Set<() => void>()
  readonly #hold: boolean

  constructor(options?: LoopOptions) {
    this.host = options?.clock ?? defaultHost()
    this.debug = options?.debug ?? this.host.debug
    this.#hold = options?.hold ?? true
    this.instruments = new Instruments(this)
  }

  time(): number {
    return this.host.now()
  }

  callSoon(first: unknown, ...args: unknown[]): Handle {
    this.#requireOpen()
    const handle = new Handle(this, this.#callback(first, args, 'callSoon'), args, this.#contextOf(first, 'callSoon'))
    this.schedule(handle, FIRE)
    return handle
  }

  callSoonThreadsafe(first: unknown, ...args: unknown[]): Handle {
    return this.callSoon(first, ...args)
  }

  callLater(delay: number, first: unknown, ...args: unknown[]): TimerHandle {
    requireFinite(delay, 'callLater: delay', 'seconds')
    return this.#callAt(this.time() + delay, first, args, 'callLater')
  }

  callAt(when: number, first: unknown, ...args: unknown[]): TimerHandle {
    requireFinite(when, 'callAt: when', 'seconds on the clock of loop.time()')
    return this.#callAt(when, first, args, 'callAt')
  }

  #callAt(when: number, first: unknown, args: unknown[], method: string): TimerHandle {
    this.#requireOpen()
    const handle = new TimerHandle(this, when, this.#callback(first, args, method), args, this.#contextOf(first, method))
    this.scheduleTimer(when, handle)
    return handle
  }

  schedule(what: Runnable, argument: object): void {
    this.ready.push(what, argument)
    if (this.#driver.asleep) this.#driver.wake()
  }

  wake(task: Task<unknown>): void {
    this.ready.push(task, null)
    task.woken()
    if (this.probe !== null) this.probe.tell('taskReady', task, running.task as Task<unknown> | null)
    if (this.#driver.asleep) this.#driver.wake()
  }

  scheduleTimer(when: number, timer: Timer & Runnable): void {
    this.timers.push(when, timer)
    if (this.#driver.asleep) this.#driver.wake()
  }

  createFuture<T>(): Future<T> {
    return new Future<T>({ loop: this })
  }

  createTask<T>(coro: Coroutine<T>, options?: TaskOptions): Task<T> {
    this.#requireOpen()
    if (this.#taskFactory !== null) return this.#taskFactory(this, coro, options)
    return new Task<T>(coro, options, this)
  }

  setTaskFactory(factory: TaskFactory | null): void {
    this.#taskFactory = factory === null ? null : requireFunction(factory, 'setTaskFactory')
  }

  getTaskFactory(): TaskFactory | null {
    return this.#taskFactory
  }

  takeTaskNumber(): number {
    return ++this.#taskNumbers
  }

  takeTaskId(): number {
    return ++this.#taskIds
  }

  liveTasks(): Set<Task<unknown>> {
    return new Set(this.tasks.values())
  }

  setExceptionHandler(handler: ExceptionHandler | null): void {
    this.#exceptionHandler = handler === null ? null : requireFunction(handler, 'setExceptionHandler')
  }

  getExceptionHandler(): ExceptionHandler | null {
    return this.#exceptionHandler
  }

  defaultExceptionHandler(context: ExceptionContext): void {
    reportContext(this.host, context)
  }

  callExceptionHandler(context: ExceptionContext): void {
    if (this.probe !== null) this.probe.tell('reported', context)
    handOver(this, this.#exceptionHandler ?? ((loop, given) => loop.defaultExceptionHandler(given)), context)
  }

  runInExecutor<A extends unknown[], R>(executor: Executor | null, fn: (...args: A) => R, ...args: A): Future<Awaited<R>> {
    this.#requireOpen()
    if (executor === null) {
      if (this.#executorShutDown) throw new RuntimeError(`${this}: its default executor was shut down`)
      executor = this.#executor ??= new HostExecutor()
    }
    return executor.submit(this, requireFunction(fn, 'runInExecutor') as (...args: A) => R, args)
  }

  setDefaultExecutor(executor: Executor): void {
    this.#executor = executor
  }

  *shutdownAsyncgens(): Coroutine<void> {
    if (this.closeGenerators !== null) yield* this.closeGenerators()
  }

  *shutdownDefaultExecutor(): Coroutine<void> {
    this.#executorShutDown = true
    const executor = this.#executor
    this.#executor = null
    if (executor !== null) yield* executor.shutdown()
  }

  addSignalHandler<A extends unknown[]>(signal: string, fn: Callback<A>, ...args: A): void {
    this.#requireOpen()
    const called = requireFunction(fn, 'addSignalHandler')
    const context = copyContext()
    const stop = this.host.onSignal(signal, () => context.run(() => this.callSoon(called, ...args)))
    this.removeSignalHandler(signal)
    this.#signals.set(signal, stop)
  }

  removeSignalHandler(signal: string): boolean {
    this.#signals.get(signal)?.()
    return this.#signals.delete(signal)
  }

  onClose(fn: () => void): () => void {
    this.#atClose.add(fn)
    return () => this.#atClose.delete(fn)
  }

  isRunning(): boolean {
    return this.#driver.active || this.#nested
  }

  isClosed(): boolean {
    return this.#closed
  }

  runForever(): Promise<void> {
    this.#requireStartable()
    for (const listener of starting) listener(this)
    return this.#run()
  }

  async #run(): Promise<void> {
    const release = this.#hold ? this.host.hold() : null
    const unwatch = this.debug ? watchGenerators() : null
    const stay = this.host.onExit?.(() => this.#reportLost())
    try {
      this.#announce()
      await this.#driver.start()
    } finally {
      this.stopping = false
      release?.()
      unwatch?.()
      stay?.()
    }
  }

  async runUntilComplete<T>(awaitable: Awaitable<T>): Promise<T> {
    this.#requireStartable()
    return await this.runToValue(ensureFuture(awaitable, { loop: this })) as T
  }

  async runToValue(future: Future<unknown>, onWait?: (future: Future<unknown>) => void): Promise<unknown> {
    for (let current = future; ;) {
      onWait?.(current)
      await this.#runUntilDone(current)
      const value = current.result()
      if (!mustBeAwaited(value)) return value
      const options = current instanceof Task ? { name: current.getName(), context: current.getContext() } : {}
      current = this.createTask(awaiting(value), options)
    }
  }

  async #runUntilDone(future: Future<unknown>): Promise<void> {
    const stop = (): void => this.stop()
    future.addDoneCallback(stop)
    try {
      await this.runForever()
    } finally {
      future.removeDoneCallback(stop)
    }
    if (!future.done()) throw new RuntimeError(`${this} was stopped before ${future} was done`)
  }

  runNested(future: Future<unknown>): void {
    this.#requireOpen()
    this.#nested = true
    this.stopping = false
    future.addDoneCallback(() => this.stop())
    try {
      for (;;) {
        const seconds = turn(this, Infinity)
        if (this.stopping) return
        if (seconds === 0) continue
        if (seconds === Infinity) throw new RuntimeError(this.deadlock())
        this.host.block(seconds)
      }
    } finally {
      this.stopping = false
      this.#nested = false
    }
  }

  stop(): void {
    this.stopping = true
    if (this.#driver.asleep) this.#driver.wake()
  }

  close(): void {
    if (this.isRunning()) throw new RuntimeError(`${this} cannot be closed while it runs: stop() it first`)
    if (this.#closed) return
    for (const task of this.liveTasks()) {
      const createdAt = originOf(task)
      this.callExceptionHandler({
        message: 'Task was destroyed but it is pending: the loop closes under it',
        task,
        ...(createdAt.length > 0 ? { createdAt } : {}),
      })
    }
    this.#reportLost()
    this.#closed = true
    for (const signal of [...this.#signals.keys()]) this.removeSignalHandler(signal)
    for (const fn of this.#atClose) fn()
    this.#atClose.clear()
    this.ready.clear()
    this.timers.clear()
    this.tasks.clear()
    this.#executorShutDown = true
    if (this.probe !== null) this.probe.tell('loopClosed', this)
  }

  /** Report the failures and coroutines that are lost when the loop closes. */
  #reportLost(): void {
    reportFailures(this)
    reportUnawaited(this)
  }

  addHostWork(difference: 1 | -1): void {
    this.hostWork += difference
  }

  deadlock(): string {
    const waits = [...this.tasks.values()].map((task) => {
      const wait = task.waiter?.describeWait()
      const label = wait?.label === undefined ? '' : ` ${wait.label}`
      return `${task.getName()} waits for ${wait === undefined ? 'nothing' : wait.kind}${label}`
    })
    const shown = waits.slice(0, 10).join('; ') + (waits.length > 10 ? `; and ${waits.length - 10} more` : '')
    const reason =
      this.hostWork > 0
        ? 'only the host could end the wait (a promise, a thread or an event), and it cannot while this thread is blocked'
        : 'nothing is ready, no timer is set, and nothing of the host is awaited (host work must be awaited through fromPromise)'
    return `${this} is deadlocked: ${reason}. ${shown}`
  }

  /** Call `loopStarted` of the instruments, only at the first start. */
  #announce(): void {
    if (this.#announced) return
    this.#announced = true
    if (this.probe !== null) this.probe.tell('loopStarted', this)
  }

  /** The callback that is called, after a `{ context }` if that is given: the first of its arguments then. */
  #callback(given: unknown, args: unknown[], method: string): Callback<unknown[]> {
    const fn = isContext(given) ? args.shift() : given
    // As in asyncio, only debug mode finds that it is a coroutine function, of which no line would run.
    if (this.debug && isGeneratorFunction(fn)) {
      throw new TypeError(`${method}: a plain function is needed, got ${describe(fn)}, a coroutine function: start a task in it, ${method}(() => loop.createTask(${fn.name || 'fn'}()))`)
    }
    return requireFunction(fn, method) as Callback<unknown[]>
  }

  #contextOf(given: unknown, method: string): Context | null {
    if (!isContext(given)) return snapshot()
    const { context } = given
    if (context === undefined) return snapshot()
    if (!(context instanceof ContextClass)) throw new TypeError(`${method}: context must be a Context, got ${describe(context)}`)
    return context
  }

  #requireOpen(): void {
    if (this.#closed) throw new RuntimeError(`${this} is closed`)
  }

  #requireStartable(): void {
    this.#requireOpen()
    if (this.isRunning()) throw new RuntimeError(`${this} runs already`)
    if (running.loop !== null) {
      throw new RuntimeError('an event loop runs on this thread already: inside a coroutine use `yield*`, or createTask(), instead of running a loop')
    }
  }

  toString(): string {
    return `<EventLoop running=${this.isRunning()} closed=${this.#closed} debug=${this.debug}>`
  }
}

const starting = new Set<(loop: EventLoop) => void>()

/** Call `listener` with a loop of this thread each time it is about to run. Returns a function that removes the listener. */
export function onLoopStart(listener: (loop: EventLoop) => void): () => void {
  starting.add(listener)
  return () => starting.delete(listener)
}

function isContext(given: unknown): given is { context: unknown } {
  return typeof given === 'object' && given !== null && 'context' in given
}

function isGeneratorFunction(fn: unknown): fn is () => Coroutine<unknown> {
  return Object.prototype.toString.call(fn) === '[object GeneratorFunction]'
}

function requireFunction<F>(fn: F, method: string): F & Callback<unknown[]> {
  if (typeof fn !== 'function') throw new TypeError(`${method}: a function is needed, got ${describe(fn)}`)
  return fn as F & Callback<unknown[]>
}

describable(EventLoop)
