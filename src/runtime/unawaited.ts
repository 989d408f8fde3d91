// Debug mode's check of coroutines. A coroutine of the runtime that is never awaited is reported, with the place where it was
// made. Any coroutine that is awaited a second time throws. The language has no hook for calls of plain generator functions:
// for those the package has an ESLint rule.
import type { Coroutine, Suspension } from './coroutine.ts'
import { SUSPENDED } from './coroutine.ts'
import { describable } from './describe.ts'
import { RuntimeError } from './exceptions.ts'
import { originOf, place, recordOrigin } from './origins.ts'
import { running, type Loop } from './running.ts'

/** The record of a coroutine, for a report after it was dropped. */
interface Birth {
  loop: Loop
  name: string
  /** Keeps the stack of the place where it was made. */
  origin: object
}

const births = new FinalizationRegistry<Birth>((birth) => {
  if (birth.loop.unawaited.delete(birth)) report(birth)
})

function report(birth: Birth): void {
  const createdAt = originOf(birth.origin)
  const where = createdAt[0] === undefined ? '' : ` (called at ${place(createdAt[0])})`
  birth.loop.callExceptionHandler({
    kind: 'never-awaited',
    message: `coroutine ${birth.name}() was never awaited${where}: use \`yield* ${birth.name}(…)\`, or createTask()`,
    createdAt,
  })
}

/** When a loop closes or the process ends: report the coroutines that were never awaited. */
export function reportUnawaited(loop: Loop): void {
  const left = [...loop.unawaited] as Birth[]
  loop.unawaited.clear()
  for (const birth of left) {
    births.unregister(birth)
    report(birth)
  }
}

/** A coroutine of the runtime, tracked until its first step. */
class Watched<T> {
  readonly #inner: Coroutine<T>
  readonly #birth: Birth
  #started = false

  constructor(inner: Coroutine<T>, birth: Birth) {
    this.#inner = inner
    this.#birth = birth
    birth.loop.unawaited.add(birth)
    birth.loop.host.collectSoon?.(birth.loop.unawaited)
    births.register(this, birth, birth)
  }

  get coroutineName(): string {
    return this.#birth.name
  }

  #start(): void {
    if (this.#started) return
    this.#started = true
    this.#birth.loop.unawaited.delete(this.#birth)
    births.unregister(this.#birth)
  }

  next(value: unknown): IteratorResult<Suspension, T> {
    this.#start()
    return this.#inner.next(value)
  }

  throw(error: unknown): IteratorResult<Suspension, T> {
    this.#start()
    return this.#inner.throw(error)
  }

  return(value: T): IteratorResult<Suspension, T> {
    this.#start()
    return this.#inner.return(value)
  }

  [Symbol.iterator](): this {
    if (this.#started) throw awaitedTwice(`${this.#birth.name}()`)
    return this
  }

  toString(): string {
    return `<coroutine ${this.#birth.name}>`
  }
}

function awaitedTwice(what: string): RuntimeError {
  return new RuntimeError(`${what} was awaited already: a coroutine runs once, call its function again for a new one`)
}

/** In debug mode: check that `coroutine`, just made by the function `name`, is awaited. */
export function trackUnawaited<T>(coroutine: Coroutine<T>, name: string): Coroutine<T> {
  const { loop } = running
  if (loop === null || !loop.debug) return coroutine
  const birth = { loop, name, origin: {} }
  // Not in the constructor: a stack recorded there would keep the coroutine alive.
  recordOrigin(birth.origin)
  return new Watched(coroutine, birth) as unknown as Coroutine<T>
}

const GENERATOR_PROTOTYPE = Object.getPrototypeOf(Object.getPrototypeOf((function* () {})())) as object

/** Forwards a generator's steps and records whether it suspended a task: then it is certainly a coroutine. */
class WatchedGenerator {
  readonly #inner: Coroutine<unknown>

  constructor(inner: Coroutine<unknown>) {
    this.#inner = inner
  }

  next(value: unknown): IteratorResult<Suspension, unknown> {
    return this.#note(this.#inner.next(value))
  }

  throw(error: unknown): IteratorResult<Suspension, unknown> {
    return this.#note(this.#inner.throw(error))
  }

  return(value: unknown): IteratorResult<Suspension, unknown> {
    return this.#inner.return(value)
  }

  #note(result: IteratorResult<Suspension, unknown>): IteratorResult<Suspension, unknown> {
    if (result.value === SUSPENDED.value) coroutines.add(this.#inner)
    return result
  }
}

/** Generators that were iterated once inside a task of a debug loop, and those among them that are coroutines. */
let iterated = new WeakSet<object>()
let coroutines = new WeakSet<object>()
let watchers = 0

function iterate(this: Coroutine<unknown>): unknown {
  if (running.task === null || !running.task.loop.debug) return this
  if (iterated.has(this)) {
    if (coroutines.has(this)) throw awaitedTwice('a coroutine')
    return this
  }
  iterated.add(this)
  return new WatchedGenerator(this)
}

/** Check every generator for a second await, while at least one debug loop runs. Returns a function that ends the check. */
export function watchGenerators(): () => void {
  if (watchers++ === 0) {
    Object.defineProperty(GENERATOR_PROTOTYPE, Symbol.iterator, { configurable: true, writable: true, value: iterate })
  }
  return () => {
    if (--watchers > 0) return
    // %IteratorPrototype%'s method applies again.
    delete (GENERATOR_PROTOTYPE as { [Symbol.iterator]?: unknown })[Symbol.iterator]
    iterated = new WeakSet()
    coroutines = new WeakSet()
  }
}

describable(Watched)
