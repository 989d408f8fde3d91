// gather() and shield(): futures made of other futures. Both act when called, as in asyncio.
import type { Wait } from './instruments.ts'
import type { Runnable } from './ready.ts'
import type { Awaitable, Result } from './coroutine.ts'
import { describe } from './describe.ts'
import { futureOf } from './ensure.ts'
import { CancelledError, cancelledError } from './exceptions.ts'
import { CANCELLED, Future, isFuture, type Listener } from './future.ts'
import { getRunningLoop, type AbstractEventLoop } from './abstract-loop.ts'
import { refusedMessage, Task } from './task.ts'

/** The tasks among `futures`. */
export function tasksOf(futures: Iterable<Future<unknown>>): Task<unknown>[] {
  return [...futures].filter((future): future is Task<unknown> => future instanceof Task)
}

/** The future that `gather` returns. It is the listener of every child, through the ready queue: no object for each child. */
class GatheringFuture extends Future<unknown[]> implements Listener, Runnable {
  readonly #children: Future<unknown>[]
  readonly #returnExceptions: boolean
  /** The number of distinct children that are not done. */
  #unfinished = 0
  #cancelRequested = false

  constructor(loop: AbstractEventLoop, children: Future<unknown>[], returnExceptions: boolean) {
    super(undefined, loop)
    this.#children = children
    this.#returnExceptions = returnExceptions
  }

  /** Listen to a child that is not done: once, even if it was given several times. */
  listenTo(child: Future<unknown>): void {
    const { listeners } = child
    if (listeners === this || (Array.isArray(listeners) && listeners.includes(this))) return
    this.#unfinished++
    child.addListener(this)
  }

  /** Count the children that were done from the start. If there are no others, the gather is done at once. */
  expect(done: ReadonlySet<Future<unknown>>): void {
    this.#unfinished += done.size
    if (this.#children.length === 0) this.setResult([])
    for (const child of done) this.onChildDone(child)
  }

  /** Cancel every child that is not done; the gather ends when they have ended. */
  override cancel(message?: string): boolean {
    if (this.done()) return false
    let any = false
    for (const child of this.#children) if (child.cancel(message)) any = true
    if (any) this.#cancelRequested = true
    return any
  }

  settled(child: Future<unknown>): void {
    this.loop.schedule(this, child)
  }

  run(child: object): void {
    this.onChildDone(child as Future<unknown>)
  }

  onChildDone(child: Future<unknown>): void {
    this.#unfinished--
    if (this.done()) {
      // Too late for a result, but the exception counts as retrieved.
      child.absorb()
      return
    }
    if (!this.#returnExceptions) {
      if (child.state === CANCELLED) {
        this.fail(child.takeCancelledError())
        return
      }
      if (child.failed()) {
        this.fail(child.exception())
        return
      }
    }
    if (this.#unfinished > 0) return
    if (this.#cancelRequested) {
      // A cancelled gather ends in a CancelledError, even if exceptions count as results.
      for (const other of this.#children) other.absorb()
      const last = this.#children[this.#children.length - 1] as Future<unknown>
      this.fail(last.state === CANCELLED ? last.takeCancelledError() : cancelledError(refusedMessage(last), this.loop.debug))
      return
    }
    this.setResult(this.#children.map(outcome))
  }

  override describeWait(): Wait {
    const tasks = tasksOf(this.#children).filter((task) => !task.done())
    return { kind: 'gather', label: `${tasks.length} of ${this.#children.length}`, tasks }
  }

  awaits(): Iterable<Future<unknown>> {
    return this.#children.filter((child) => !child.done())
  }

  override toString(): string {
    return `<GatheringFuture ${this.outcome()} children=${this.#children.length}>`
  }
}

function outcome(child: Future<unknown>): unknown {
  if (child.state === CANCELLED) {
    const { value } = child
    // An error without a message is reused: making errors is the main cost of cancelling many tasks.
    if (value instanceof CancelledError && value.message === '') return value
    return cancelledError(typeof value === 'string' ? value : undefined, child.loop.debug)
  }
  return child.failed() ? child.exception() : child.result()
}

/** The results of a tuple or array of awaitables. */
export type Results<A extends readonly Awaitable<unknown>[]> = { -readonly [K in keyof A]: Result<A[K]> }
export type Outcomes<A extends readonly Awaitable<unknown>[]> = { -readonly [K in keyof A]: Result<A[K]> | Error }

/**
 * Run awaitables concurrently and return their results, in the order given. Coroutines become tasks at once; a coroutine
 * given twice runs once. The first exception ends the wait, and the others continue; with `returnExceptions` exceptions
 * count as results. Cancelling the gather cancels the children.
 */
export function gather<const A extends readonly Awaitable<unknown>[]>(
  awaitables: A,
  options?: { returnExceptions?: false | undefined },
): Future<Results<A>>
export function gather<const A extends readonly Awaitable<unknown>[]>(
  awaitables: A,
  options: { returnExceptions: boolean },
): Future<Outcomes<A>>
export function gather(
  awaitables: readonly Awaitable<unknown>[],
  options?: { returnExceptions?: boolean | undefined },
): Future<unknown[]> {
  if (!Array.isArray(awaitables)) throw new TypeError(`gather: an array of awaitables is needed, got ${describe(awaitables)}: put them in brackets, gather([a, b])`)
  const first = awaitables[0] as Awaitable<unknown> | undefined
  const loop = isFuture(first) ? first.getLoop() : getRunningLoop()
  const children = new Array<Future<unknown>>(awaitables.length)
  const done = new Set<Future<unknown>>()
  const outer = new GatheringFuture(loop, children, options?.returnExceptions ?? false)
  for (let index = 0; index < awaitables.length; index++) {
    const awaitable = awaitables[index] as Awaitable<unknown>
    let future: Future<unknown>
    try {
      future = futureOf(awaitable, loop, 'gather')
    } catch (error) {
      // The coroutine may have become a task in this call: it was given twice.
      const again = awaitables.indexOf(awaitable)
      if (again >= index) throw error
      future = children[again] as Future<unknown>
    }
    children[index] = future
    if (future.done()) done.add(future)
    else outer.listenTo(future)
  }
  outer.expect(done)
  return outer
}

/** The future that `shield` returns. */
class ShieldingFuture<T> extends Future<T> {
  readonly #inner: Future<T>

  constructor(inner: Future<T>) {
    super({ loop: inner.getLoop() })
    this.#inner = inner
  }

  awaits(): Iterable<Future<unknown>> {
    return [this.#inner]
  }
}

/**
 * Wait for `awaitable` without passing a cancellation on to it: the awaiter is cancelled, the awaited task continues. If it
 * fails after that, the loop's exception handler is called. A future that is done is returned unchanged.
 */
export function shield<T>(awaitable: Awaitable<T>): Future<T> {
  const inner = futureOf(awaitable, undefined, 'shield')
  if (inner.done()) return inner
  const outer = new ShieldingFuture<T>(inner)
  const onInnerDone = (): void => {
    if (outer.done()) return
    if (inner.cancelled()) {
      outer.cancel()
      return
    }
    if (inner.failed()) outer.fail(inner.exception())
    else outer.setResult(inner.result())
  }
  inner.addDoneCallback(onInnerDone)
  outer.addDoneCallback(() => {
    if (inner.done()) return
    inner.removeDoneCallback(onInnerDone)
    inner.removeDoneCallback(reportShielded)
    inner.addDoneCallback(reportShielded)
  })
  return outer
}

function reportShielded(inner: Future<unknown>): void {
  if (!inner.failed()) return
  inner.getLoop().callExceptionHandler({
    message: `${String(inner)} failed under a shield whose awaiter was cancelled`,
    exception: inner.exception(),
    future: inner,
  })
}
