// The event loop: a ready queue, timers, and turns. A turn runs what is ready until nothing is, or until its time is
// up; the host decides when the next one comes. The order inside a turn is CPython's, iteration by iteration.
import type { Coroutine } from './coroutine.ts'
import type { Executor } from './executor.ts'
import type { Runnable } from './ready.ts'
import type { Timer } from './timers.ts'
import { snapshot } from './context.ts'
import { describable, describe } from './describe.ts'
import { RuntimeError } from './exceptions.ts'
import { requireFinite } from './checks.ts'
import { ensureFuture } from './ensure.ts'
import { Future } from './future.ts'
import { FIRE, Handle, TimerHandle, type Callback } from './handle.ts'
import { defaultHost, type Host } from './host.ts'
import { Instruments } from './instruments.ts'
import { ReadyQueue } from './ready.ts'
import { running } from './running.ts'
import { Task, type TaskOptions } from './task.ts'
import { TimerHeap } from './timers.ts'
import { reportUnawaited, watchGenerators } from './unawaited.ts'
import { reportFailures } from './unretrieved.ts'
import { originOf, place, type Frame } from './origins.ts'
import { HostExecutor } from './executor.ts'
import type { Awaitable } from './coroutine.ts'

/** What an exception handler is told. */
export interface ExceptionContext {
  message: string
  exception?: unknown
  task?: Task<unknown>
  future?: Future<unknown>
  handle?: Handle
  /** Where the object in question was made, newest frame first; in debug mode. */
  createdAt?: Frame[]
}

export type ExceptionHandler = (loop: EventLoop, context: ExceptionContext) => void
export type TaskFactory = <T>(loop: EventLoop, coro: Coroutine<T>, options?: TaskOptions) => Task<T>

export interface LoopOptions {
  /** The clock, a `VirtualClock` for instance; by default the real one. */
  clock?: Host | undefined
  /** Debug mode: record where things are made and suspended, check more. Default: the host's (on Node, LOOPSCOPE_DEBUG=1). */
  debug?: boolean | undefined
  /** Whether a loop that runs keeps the process alive (default: yes, as a blocked `select` would). */
  hold?: boolean | undefined
}

/** Timers that fall due within this many seconds fire together (the resolution of a monotonic clock, as in asyncio). */
const CLOCK_RESOLUTION = 1e-9
/** After this many seconds of work a turn gives way to the host. */
const TURN_SECONDS = 0.002
/** How many ready entries run between two looks at the clock: reading it costs as much as running one. */
const ENTRIES_PER_CLOCK = 64
/** With a virtual clock, which stands still while work is ready, a turn is as many rounds of that. */
const VIRTUAL_ROUNDS = 200
/** How many turns in a row may start before the host does anything else. */
const TURNS_WITHOUT_HOST = 100

const IDLE = 0
const DUE = 1
const TURNING = 2

export class EventLoop {
  /** Hooks for whoever watches this loop. */
  readonly instruments: Instruments
  /** Debug mode records where things were made and where tasks wait, and reports steps longer than `slowCallbackDuration`. */
  debug: boolean
  /** In debug mode, a step or callback that takes this many seconds is reported. */
  slowCallbackDuration = 0.1
  /** The machine beneath: clock, output, sleep. */
  readonly host: Host

  /** @internal The instruments while there are any, else `null`: the one check that unwatched code pays for. */
  probe: Instruments | null = null
  /** @internal */ readonly ready = new ReadyQueue()
  /** @internal */ readonly timers = new TimerHeap()
  /** @internal Failures not yet retrieved. */
  readonly failures = new Set<object>()
  /** @internal In debug mode, the coroutines made and not yet awaited. */
  readonly unawaited = new Set<object>()
  /** @internal Promises, threads and events that tasks wait for. */
  hostWork = 0

  #phase: typeof IDLE | typeof DUE | typeof TURNING = IDLE
  /** Whether `schedule` must call the host: the loop runs, and sleeps. */
  #asleep = false
  #stopping = false
  #closed = false
  #runs: { resolve(): void; reject(error: unknown): void; release(): void } | null = null
  #nested = false
  #turnsWithoutHost = 0
  #wakeAt = Infinity
  #cancelWait: (() => void) | null = null
  #first: Task<unknown> | null = null
  #last: Task<unknown> | null = null
  #taskIds = 0
  #taskNumbers = 0
  #taskFactory: TaskFactory | null = null
  #exceptionHandler: ExceptionHandler | null = null
  #executor: Executor | null = null
  #executorShutDown = false
  readonly #hold: boolean

  constructor(options?: LoopOptions) {
    this.host = options?.clock ?? defaultHost()
    this.debug = options?.debug ?? this.host.debug
    this.#hold = options?.hold ?? true
    this.instruments = new Instruments(this)
  }

  /** Seconds on the loop's monotonic clock. */
  time(): number {
    return this.host.now()
  }

  /** Call `fn(...args)` in the next iteration, in a copy of the current context. */
  callSoon<A extends unknown[]>(fn: Callback<A>, ...args: A): Handle {
    this.#requireOpen()
    const handle = new Handle(this, requireFunction(fn, 'callSoon'), args, snapshot())
    this.schedule(handle, FIRE)
    return handle
  }

  /** The same as `callSoon`, under the name that code for other threads uses; a worker's messages arrive on this thread. */
  callSoonThreadsafe<A extends unknown[]>(fn: Callback<A>, ...args: A): Handle {
    return this.callSoon(fn, ...args)
  }

  /** Call `fn(...args)` after `delay` seconds. */
  callLater<A extends unknown[]>(delay: number, fn: Callback<A>, ...args: A): TimerHandle {
    requireFinite(delay, 'callLater: delay', 'seconds')
    return this.#callAt(this.time() + delay, requireFunction(fn, 'callLater'), args)
  }

  /** Call `fn(...args)` when the loop's clock shows `when` (seconds). */
  callAt<A extends unknown[]>(when: number, fn: Callback<A>, ...args: A): TimerHandle {
    requireFinite(when, 'callAt: when', 'seconds on the clock of loop.time()')
    return this.#callAt(when, requireFunction(fn, 'callAt'), args)
  }

  #callAt(when: number, fn: Callback<unknown[]>, args: unknown[]): TimerHandle {
    this.#requireOpen()
    const handle = new TimerHandle(this, when, fn, args, snapshot())
    this.scheduleTimer(when, handle)
    return handle
  }

  /** @internal Put something at the end of the ready queue. */
  schedule(what: Runnable, argument: object): void {
    this.ready.push(what, argument)
    if (this.#asleep) this.#rouse()
  }

  /** @internal Put a task at the end of the ready queue: its next step will run. */
  wake(task: Task<unknown>): void {
    this.ready.push(task, null)
    if (this.probe !== null) this.probe.call('taskReady', task, running.task)
    if (this.#asleep) this.#rouse()
  }

  /** @internal */
  scheduleTimer(when: number, timer: Timer & Runnable): void {
    this.timers.push(when, timer)
    if (this.#asleep) this.#rouse()
  }

  createFuture<T>(): Future<T> {
    return new Future<T>({ loop: this })
  }

  /** Make a task of `coro`, through the task factory if one is set. */
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

  /** @internal */
  takeTaskNumber(): number {
    return ++this.#taskNumbers
  }

  /** @internal */
  takeTaskId(): number {
    return ++this.#taskIds
  }

  /** @internal Live tasks are held by the loop, in the order of their creation. */
  addTask(task: Task<unknown>): void {
    task.previous = this.#last
    if (this.#last === null) this.#first = task
    else this.#last.following = task
    this.#last = task
  }

  /** @internal */
  removeTask(task: Task<unknown>): void {
    const { previous, following } = task
    if (previous === null) this.#first = following
    else previous.following = following
    if (following === null) this.#last = previous
    else following.previous = previous
    task.previous = null
    task.following = null
  }

  /** @internal */
  liveTasks(): Set<Task<unknown>> {
    const tasks = new Set<Task<unknown>>()
    for (let task = this.#first; task !== null; task = task.following) tasks.add(task)
    return tasks
  }

  /** Set who hears of errors that no one awaits, `(loop, context)`; `null` restores the default, which writes to the log. */
  setExceptionHandler(handler: ExceptionHandler | null): void {
    this.#exceptionHandler = handler === null ? null : requireFunction(handler, 'setExceptionHandler')
  }

  getExceptionHandler(): ExceptionHandler | null {
    return this.#exceptionHandler
  }

  /** Write the context to the host's log of errors. */
  defaultExceptionHandler(context: ExceptionContext): void {
    const lines = [context.message]
    for (const key of ['task', 'future', 'handle'] as const) {
      if (context[key] !== undefined) lines.push(`  ${key}: ${describe(context[key])}`)
    }
    if (context.createdAt !== undefined) lines.push(`  created at ${context.createdAt.map(place).join(', from ')}`)
    if (context.exception !== undefined) {
      const { exception } = context
      lines.push(exception instanceof Error ? (exception.stack ?? String(exception)) : describe(exception))
    }
    this.host.report(lines.join('\n'))
  }

  /** Hand a context to the exception handler. Never throws. */
  callExceptionHandler(context: ExceptionContext): void {
    try {
      if (this.#exceptionHandler !== null) this.#exceptionHandler(this, context)
      else this.defaultExceptionHandler(context)
    } catch (error) {
      try {
        this.defaultExceptionHandler({ message: 'the exception handler itself threw', exception: error })
        this.defaultExceptionHandler(context)
      } catch {
        // There is nowhere left to say it.
      }
    }
  }

  /** Run `fn(...args)` in `executor`, or in the default one; the future gives its result. */
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

  /** Wait until the default executor has finished what it was given; it takes no more. */
  *shutdownDefaultExecutor(): Coroutine<void> {
    this.#executorShutDown = true
    const executor = this.#executor
    this.#executor = null
    if (executor !== null) yield* executor.shutdown()
  }

  isRunning(): boolean {
    return this.#runs !== null || this.#nested
  }

  isClosed(): boolean {
    return this.#closed
  }

  /** Run until `stop()`. */
  runForever(): Promise<void> {
    this.#requireStartable()
    return new Promise((resolve, reject) => {
      const release = this.#hold ? this.host.hold() : () => {}
      const unwatch = this.debug ? watchGenerators() : () => {}
      this.#runs = {
        resolve,
        reject,
        release: () => {
          release()
          unwatch()
        },
      }
      this.#stopping = false
      if (this.probe !== null) this.probe.call('loopStarted', this)
      this.#due()
    })
  }

  /** Run until `awaitable` is done and give its result. What was ready at that moment still runs, as in asyncio. */
  async runUntilComplete<T>(awaitable: Awaitable<T>): Promise<T> {
    this.#requireStartable()
    const future = ensureFuture(awaitable, { loop: this })
    const stop = (): void => this.stop()
    future.addDoneCallback(stop)
    try {
      await this.runForever()
    } finally {
      future.removeDoneCallback(stop)
    }
    if (!future.done()) throw new RuntimeError(`${this} was stopped before ${future} was done`)
    return future.result()
  }

  /** @internal Run `future` to its end without giving way to anybody: the thread is held meanwhile. */
  runNested(future: Future<unknown>): void {
    this.#requireOpen()
    this.#nested = true
    this.#stopping = false
    future.addDoneCallback(() => this.stop())
    try {
      for (;;) {
        const seconds = this.turn(Infinity)
        if (this.#stopping) return
        if (seconds === 0) continue
        if (seconds === Infinity) throw new RuntimeError(this.deadlock())
        this.host.block(seconds)
      }
    } finally {
      this.#stopping = false
      this.#nested = false
    }
  }

  /** Stop after the current iteration. */
  stop(): void {
    this.#stopping = true
    if (this.#asleep) this.#rouse()
  }

  /** Close a loop that does not run. What is still pending is reported and dropped. */
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
    reportFailures(this)
    reportUnawaited(this)
    this.#closed = true
    this.ready.clear()
    this.timers.clear()
    this.#first = null
    this.#last = null
    this.#executorShutDown = true
    if (this.probe !== null) this.probe.call('loopClosed', this)
  }

  /** @internal One more thing of the host's that a task waits for, or one less. */
  addHostWork(difference: 1 | -1): void {
    this.hostWork += difference
  }

  /** @internal What every task waits for, when nothing is left that could wake one. */
  deadlock(): string {
    const waits = [...this.liveTasks()].map((task) => {
      const wait = task.waiter?.describeWait()
      const label = wait?.label === undefined ? '' : ` ${wait.label}`
      return `${task.getName()} waits for ${wait === undefined ? 'nothing' : wait.kind}${label}`
    })
    const shown = waits.slice(0, 10).join('; ') + (waits.length > 10 ? `; and ${waits.length - 10} more` : '')
    const reason =
      this.hostWork > 0
        ? 'only the host could end the wait (a promise, a thread or an event), and it cannot while this thread is held'
        : 'nothing is ready, no timer is set, and nothing of the host is awaited (host work must be awaited through fromPromise)'
    return `${this} is stuck: ${reason}. ${shown}`
  }

  /**
   * @internal Run what is ready, iteration by iteration, for at most `budget` seconds. Returns for how many seconds
   * nothing will be ready: 0 if something is, Infinity if only the host can wake a task.
   */
  turn(budget: number): number {
    const { host, ready, timers } = this
    const outer = { ...running }
    running.loop = this
    running.task = null
    let now = host.now()
    const end = now + budget
    let entries = 0
    let rounds = 0
    try {
      for (;;) {
        if (timers.soonest() < now + CLOCK_RESOLUTION) this.#moveDueTimers(now)
        if (ready.length === 0) {
          if (this.#stopping) return 0
          now = host.now()
          const next = timers.next()
          if (next >= now + CLOCK_RESOLUTION) return next - now
          continue
        }
        entries += this.#iterate()
        if (this.#stopping) return 0
        if (entries >= ENTRIES_PER_CLOCK || host.virtual) {
          now = host.now()
          if (now >= end) return 0
          if (entries >= ENTRIES_PER_CLOCK) {
            entries = 0
            if (host.virtual && ++rounds >= VIRTUAL_ROUNDS && budget !== Infinity) return 0
          }
        }
      }
    } finally {
      running.loop = outer.loop
      running.task = outer.task
      running.context = outer.context
    }
  }

  /** Run exactly the entries that are ready now; what they make ready waits for the next iteration. */
  #iterate(): number {
    const { ready } = this
    const todo = ready.length
    for (let left = todo; left > 0; left--) {
      const what = ready.peek()
      const argument = ready.shift()
      // This is our event loop: everything that ever runs on it is called from the next lines.
      if (this.debug) this.#runTimed(what, argument)
      else if (argument === null) (what as Task<unknown>).step()
      else this.#runCallback(what as Runnable, argument as object)
    }
    return todo
  }

  #runCallback(what: Runnable, argument: object): void {
    running.context = null
    if (this.probe !== null) this.probe.call('callbackRunning', what)
    try {
      what.run(argument)
    } catch (error) {
      this.callExceptionHandler({
        message: `Exception in callback ${describe(what)}`,
        exception: error,
        ...(what instanceof Handle ? { handle: what } : {}),
      })
    }
    if (this.probe !== null) this.probe.call('callbackFinished', what)
  }

  #runTimed(what: unknown, argument: unknown): void {
    const began = this.host.now()
    if (argument === null) (what as Task<unknown>).step()
    else this.#runCallback(what as Runnable, argument as object)
    const seconds = this.host.now() - began
    if (seconds >= this.slowCallbackDuration) {
      this.callExceptionHandler({
        message: `Executing ${describe(what)} took ${seconds.toFixed(3)} seconds: everything else on the loop waited`,
        ...(what instanceof Task ? { task: what } : {}),
      })
    }
  }

  #moveDueTimers(now: number): void {
    const { timers, ready } = this
    while (timers.soonest() < now + CLOCK_RESOLUTION) {
      const timer = timers.pop()
      if (timer.isDead()) continue
      timer.leaveHeap()
      ready.push(timer, FIRE)
    }
  }

  readonly #drive = (): void => {
    if (this.#phase !== DUE) return
    this.#phase = TURNING
    let seconds: number
    try {
      seconds = this.turn(TURN_SECONDS)
    } catch (error) {
      this.#finish(error)
      return
    }
    if (this.#stopping) this.#finish(null)
    else if (seconds === 0) {
      this.#phase = DUE
      this.#turnsWithoutHost = 0
      this.host.giveWay(this.#drive)
    } else {
      this.#sleep(seconds)
    }
  }

  #sleep(seconds: number): void {
    this.#phase = IDLE
    this.#asleep = true
    this.ready.trim()
    const { host } = this
    if (host.virtual && seconds === Infinity && this.hostWork === 0) {
      // Host code may still hold a future of ours: it gets one chance to set it before this is called a deadlock.
      host.giveWay(() => {
        if (this.#asleep && this.hostWork === 0 && this.timers.size === 0) this.#finish(new RuntimeError(this.deadlock()))
      })
      return
    }
    const wakeAt = host.now() + seconds
    // A timer of the host that is due no later than ours will do: most sleeps are cut short by something else.
    if (this.#cancelWait !== null) {
      if (!host.virtual && this.#wakeAt <= wakeAt) return
      this.#cancelWait()
    }
    this.#wakeAt = wakeAt
    this.#cancelWait = host.wait(seconds, this.hostWork, this.#onWait)
  }

  readonly #onWait = (): void => {
    this.#cancelWait = null
    if (!this.#asleep) return
    this.#asleep = false
    this.#phase = DUE
    this.#turnsWithoutHost = 0
    this.#drive()
  }

  /** Something became ready while the loop slept: a turn comes as soon as the host's current callback is over. */
  #rouse(): void {
    if (this.host.virtual && this.#cancelWait !== null) {
      this.#cancelWait()
      this.#cancelWait = null
    }
    this.#due()
  }

  #due(): void {
    this.#asleep = false
    this.#phase = DUE
    if (++this.#turnsWithoutHost < TURNS_WITHOUT_HOST) this.host.soon(this.#drive)
    else {
      this.#turnsWithoutHost = 0
      this.host.giveWay(this.#drive)
    }
  }

  #finish(error: unknown): void {
    const runs = this.#runs
    this.#runs = null
    this.#phase = IDLE
    this.#asleep = false
    this.#stopping = false
    this.#cancelWait?.()
    this.#cancelWait = null
    if (runs === null) return
    runs.release()
    if (error === null) runs.resolve()
    else runs.reject(error)
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

function requireFunction<F>(fn: F, method: string): F & Callback<unknown[]> {
  if (typeof fn !== 'function') throw new TypeError(`${method}: a function is needed, got ${describe(fn)}`)
  return fn as F & Callback<unknown[]>
}

describable(EventLoop)
