// Asynchronous generators: generator functions that yield items with `yield`, and await with `yield*`. Their rules are
// Python's: PEP 525, and asyncio's shutdown_asyncgens.
import type { CoroutineIterator } from './coroutine-iterator.ts'
import type { AbstractEventLoop } from './abstract-loop.ts'
import { isCoroutine, SUSPENDED, type AsyncGen, type Coroutine, type Suspension } from './coroutine.ts'
import { describable, describe } from './describe.ts'
import { GeneratorExit, RuntimeError } from './exceptions.ts'
import { gather } from './gather.ts'
import { getRunningLoop } from './abstract-loop.ts'
import { trackUnawaited } from './unawaited.ts'

type Step = (generator: Generator<unknown, unknown, unknown>) => IteratorResult<unknown, unknown>

/** Run a generator from `step` to its next item or its end, and pass its awaits on to the current task. */
export function* advance(generator: Generator<unknown, unknown, unknown>, step: Step): Coroutine<IteratorResult<unknown, unknown>> {
  let result = step(generator)
  while (result.done !== true && result.value === SUSPENDED.value) {
    let error: unknown
    let failed = false
    try {
      yield result.value as Suspension
    } catch (thrown) {
      failed = true
      error = thrown
    }
    result = failed ? generator.throw(error) : generator.next()
  }
  return result
}

const UNSTARTED = 0
const SUSPENDED_AT_ITEM = 1
const RUNNING = 2
const CLOSED = 3

const LAST = Object.freeze({ done: true as const, value: undefined })

/** What runs of one asynchronous generator: at most one `next`, `throw` or `close` at a time. */
export class AsyncGenIterator<T> implements CoroutineIterator<T> {
  readonly #generator: AsyncGen<T>
  #state = UNSTARTED
  #registration: Registration | null = null

  /** @internal */
  constructor(generator: AsyncGen<T>) {
    this.#generator = generator
  }

  aiter(): this {
    return this
  }

  /**
   * Run the generator to its next item; `value` is the result of the `yield` at which it is suspended (Python's `asend`).
   * An error that it throws, a cancellation included, ends it.
   */
  next(value?: unknown): Coroutine<IteratorResult<T, undefined>> {
    return trackUnawaited(this.#items('next', (generator) => generator.next(value)), 'aiter.next')
  }

  /** Throw `error` at the `yield` at which the generator is suspended, and run it to its next item (Python's `athrow`). */
  throw(error: unknown): Coroutine<IteratorResult<T, undefined>> {
    return trackUnawaited(this.#items('throw', (generator) => generator.throw(error)), 'aiter.throw')
  }

  /** End the generator: its `finally` blocks run, and may await. Throws a RuntimeError if it yields an item there. */
  close(): Coroutine<void> {
    return trackUnawaited(this.#close(), 'aiter.close')
  }

  *#items(method: string, step: Step): Coroutine<IteratorResult<T, undefined>> {
    if (this.#state === CLOSED) {
      // As in Python, a generator that has ended throws nothing but what `throw` is given.
      if (method === 'throw') step(this.#generator as Generator<unknown, unknown, unknown>)
      return LAST
    }
    let result = yield* this.#run(method, step)
    if (result.done !== true && isCoroutine(result.value)) {
      const error = new RuntimeError(`${this} got \`yield\` without a star with ${describe(result.value)}: use \`yield*\` to await it`)
      result = yield* this.#run(method, (generator) => generator.throw(error))
    }
    return result.done === true ? LAST : result as IteratorYieldResult<T>
  }

  *#close(): Coroutine<void> {
    if (this.#state === CLOSED) return
    // Not `return()`: it ends only the innermost of delegating generators if a `finally` awaits, and the others go on.
    const exit = this.#state === UNSTARTED ? null : new GeneratorExit('the asynchronous generator is closed')
    try {
      const result = yield* this.#run('close', (generator) => exit === null ? generator.return(undefined) : generator.throw(exit))
      if (result.done !== true) throw new RuntimeError(`${this} yielded an item while it was closed: its \`finally\` blocks may await, but yield nothing`)
    } catch (error) {
      if (error !== exit) throw error
    }
  }

  *#run(method: string, step: Step): Coroutine<IteratorResult<unknown, unknown>> {
    if (this.#state === RUNNING) throw new RuntimeError(`${method}: ${this} is already running: another task waits for its next item`)
    if (this.#state === UNSTARTED && method === 'next') this.#registration = register(this)
    this.#state = RUNNING
    let ended = true
    try {
      const result = yield* advance(this.#generator as Generator<unknown, unknown, unknown>, step)
      ended = result.done === true
      return result
    } finally {
      this.#state = ended ? CLOSED : SUSPENDED_AT_ITEM
      if (ended && this.#registration !== null) unregister(this.#registration)
    }
  }

  toString(): string {
    return `<AsyncGen ${['not started', 'suspended', 'running', 'closed'][this.#state]}>`
  }
}

/** One for each generator, so that two loops over one generator see each other. */
const iterators = new WeakMap<object, AsyncGenIterator<unknown>>()

export function iteratorOfGenerator<T>(generator: AsyncGen<T>): AsyncGenIterator<T> {
  let iterator = iterators.get(generator)
  if (iterator === undefined) {
    iterator = new AsyncGenIterator<unknown>(generator)
    iterators.set(generator, iterator)
  }
  return iterator as AsyncGenIterator<T>
}

/** A generator that was started and has not ended. */
interface Registration {
  readonly loop: AbstractEventLoop
  readonly iterator: WeakRef<AsyncGenIterator<unknown>>
}

const open = new WeakMap<AbstractEventLoop, Set<Registration>>()
const collected = new FinalizationRegistry<Registration>((registration) => {
  if (!open.get(registration.loop)!.delete(registration) || registration.loop.isClosed()) return
  registration.loop.callExceptionHandler({
    message: 'an asynchronous generator was dropped before its end, so its `finally` blocks did not run: iterate over it with asyncFor, or close it',
  })
})

function register(iterator: AsyncGenIterator<unknown>): Registration {
  const registration = { loop: getRunningLoop(), iterator: new WeakRef(iterator) }
  const all = open.get(registration.loop)
  if (all === undefined) {
    open.set(registration.loop, new Set([registration]))
    registration.loop.closeGenerators = () => closeGenerators(registration.loop)
  } else all.add(registration)
  collected.register(iterator, registration, registration)
  return registration
}

function unregister(registration: Registration): void {
  open.get(registration.loop)!.delete(registration)
  collected.unregister(registration)
}

/** Close the generators of `loop` that were started and have not ended, concurrently. */
function* closeGenerators(loop: AbstractEventLoop): Coroutine<void> {
  const registrations = [...open.get(loop) ?? []]
  const generators = registrations.flatMap(({ iterator }) => iterator.deref() ?? [])
  registrations.forEach(unregister)
  if (generators.length === 0) return
  const outcomes: unknown[] = yield* gather(generators.map((generator) => generator.close()), { returnExceptions: true })
  for (const [at, outcome] of outcomes.entries()) {
    if (outcome instanceof Error) {
      loop.callExceptionHandler({ message: `an error occurred while ${generators[at]!} was closed`, exception: outcome })
    }
  }
}

describable(AsyncGenIterator)
