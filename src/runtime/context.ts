// Context variables, as Python's contextvars: a value that follows a task, not a thread. A context is an immutable map
// behind a cell, so that copying one for a new task costs nothing.
import { describable, describe } from './describe.ts'
import { RuntimeError } from './exceptions.ts'
import { running } from './running.ts'

type Bindings = ReadonlyMap<ContextVar<unknown>, unknown>

const EMPTY: Bindings = new Map()

/** What a set of variables were bound to. A task runs in a copy of its creator's. */
export class Context {
  /** @internal Replaced, never changed. */
  bindings: Bindings
  #entered = false

  constructor(bindings: Bindings = EMPTY) {
    this.bindings = bindings
  }

  /** Call `fn(...args)` in this context: what it sets stays in here. Throws a RuntimeError if the context is entered already. */
  run<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): R {
    const outer = running.context
    if (this.#entered || this === outer) throw new RuntimeError(`${this} is entered already: run a copy of it (copyContext)`)
    // The context of a task's step or a callback is entered as well, for as long as another one is inside of it.
    const base = outer !== null && !outer.#entered ? outer : null
    if (base !== null) base.#entered = true
    this.#entered = true
    running.context = this
    try {
      return fn(...args)
    } finally {
      running.context = outer
      this.#entered = false
      if (base !== null) base.#entered = false
    }
  }

  /** A context with the same values that changes on its own. */
  copy(): Context {
    return new Context(this.bindings)
  }

  get<T>(variable: ContextVar<T>): T | undefined {
    return this.bindings.get(variable as ContextVar<unknown>) as T | undefined
  }

  has(variable: ContextVar<unknown>): boolean {
    return this.bindings.has(variable)
  }

  get size(): number {
    return this.bindings.size
  }

  [Symbol.iterator](): IterableIterator<[ContextVar<unknown>, unknown]> {
    return this.bindings.entries()
  }

  toString(): string {
    return `<Context ${this.size === 1 ? '1 variable' : `${this.size} variables`}>`
  }
}

/** A copy of the current context. */
export function copyContext(): Context {
  return new Context(running.context?.bindings)
}

/** @internal A copy for a new task or callback; `null` while there is nothing to copy. */
export function snapshot(): Context | null {
  const context = running.context
  return context === null || context.bindings.size === 0 ? null : new Context(context.bindings)
}

/** The context to set in: made at the first `set` of a task that has none yet. */
function writable(variable: ContextVar<unknown>): Context {
  if (running.context === null) {
    if (running.loop === null && running.driven > 0) {
      throw new RuntimeError(
        `${variable}: set in host code while an event loop runs, where all that the host starts later would see it: set it in a coroutine, in a callback of the loop, or in context.run(fn)`,
      )
    }
    running.context = new Context()
    if (running.task !== null) running.task.context = running.context
  }
  return running.context
}

const UNSET = Symbol('unset')

/** A variable with a value for each context. */
export class ContextVar<T> {
  readonly name: string
  readonly #fallback: T | typeof UNSET

  /** `default`: what `get` gives where nothing was set. */
  constructor(name: string, options?: { default?: T }) {
    this.name = name
    this.#fallback = options !== undefined && 'default' in options ? (options.default as T) : UNSET
  }

  /** The value in the current context, else `fallback`, else the variable's default, else a RangeError (Python's LookupError). */
  get(...fallback: [fallback?: T]): T {
    const bindings = running.context?.bindings ?? EMPTY
    const key = this as ContextVar<unknown>
    if (bindings.has(key)) return bindings.get(key) as T
    if (fallback.length > 0) return fallback[0] as T
    if (this.#fallback !== UNSET) return this.#fallback
    throw new RangeError(`${this} has no value in this context: set it, give it a default, or call get(fallback)`)
  }

  /**
   * Set the value in the current context. Throws a RuntimeError in host code that belongs to no context while a loop runs on this
   * thread; before, as at the top of a module, it is set for all that is started then, as in Python. The token takes it back: `reset(token)`, or `using token = variable.set(value)`.
   */
  set(value: T): Token<T> {
    const key = this as ContextVar<unknown>
    const context = writable(key)
    const had = context.bindings.has(key)
    const token = new Token<T>(this, context, had, context.bindings.get(key) as T)
    context.bindings = new Map(context.bindings).set(key, value)
    return token
  }

  /** Restore what the variable was before the `set` that gave `token`. A token serves once, in its own context. */
  reset(token: Token<T>): void {
    if (token.variable !== this) throw new RangeError(`${this}: this token is of ${token.variable}`)
    if (token.used) throw new RuntimeError(`${this}: this token was used already`)
    if (token.context !== running.context) throw new RangeError(`${this}: this token was made in another context`)
    token.used = true
    const bindings = new Map(token.context.bindings)
    if (token.had) bindings.set(this as ContextVar<unknown>, token.before)
    else bindings.delete(this as ContextVar<unknown>)
    token.context.bindings = bindings
  }

  toString(): string {
    const fallback = this.#fallback === UNSET ? '' : ` default=${describe(this.#fallback)}`
    return `<ContextVar ${this.name}${fallback}>`
  }
}

/** What `ContextVar.set` returns: takes the value back once. */
export class Token<T> {
  readonly variable: ContextVar<T>
  /** @internal */ readonly context: Context
  /** @internal */ readonly had: boolean
  /** @internal */ readonly before: T
  /** @internal */ used = false

  /** @internal */
  constructor(variable: ContextVar<T>, context: Context, had: boolean, before: T) {
    this.variable = variable
    this.context = context
    this.had = had
    this.before = before
  }

  /** The value before the `set`, or `undefined` if there was none. */
  get oldValue(): T | undefined {
    return this.had ? this.before : undefined
  }

  [Symbol.dispose](): void {
    if (!this.used) this.variable.reset(this)
  }
}

describable(Context)
describable(ContextVar)
