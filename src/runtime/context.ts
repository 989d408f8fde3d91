// Context variables, as Python's contextvars: a value belongs to a task, not to a thread. A context is a cell with an
// immutable map, so the copy for a new task costs nothing.
import { describable, describe } from './describe.ts'
import { RuntimeError } from './exceptions.ts'
import { running } from './running.ts'

type Bindings = ReadonlyMap<ContextVar<unknown>, unknown>

const EMPTY: Bindings = new Map()

/** The values of a set of variables. A task runs in a copy of its creator's context. */
export class Context {
  /** @internal Replaced, never changed. */
  bindings: Bindings
  #entered = false

  constructor(bindings: Bindings = EMPTY) {
    this.bindings = bindings
  }

  /** Call `fn(...args)` in this context, which keeps what it sets. Throws a RuntimeError if the context is entered already. */
  run<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): R {
    const outer = running.context
    if (this.#entered || this === outer) throw new RuntimeError(`${this} is entered already: run a copy of it (copyContext)`)
    // The context of a task's step or a callback counts as entered too while another one is inside it.
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

  /** An independent context with the same values. */
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

/** @internal A copy for a new task or callback; `null` if there is nothing to copy. */
export function snapshot(): Context | null {
  const context = running.context
  return context === null || context.bindings.size === 0 ? null : new Context(context.bindings)
}

/** The context to set `variable` in. A task gets one at its first `set`. */
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

  /** `default`: what `get` returns if no value is set. */
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
   * Set the value in the current context. Before a loop runs, as at the top of a module, it is set for everything that starts
   * afterwards, as in Python. Throws a RuntimeError in host code without a context while a loop runs on this thread.
   * The token restores the old value: `reset(token)`, or `using token = variable.set(value)`.
   */
  set(value: T): Token<T> {
    const key = this as ContextVar<unknown>
    const context = writable(key)
    const had = context.bindings.has(key)
    const token = new Token<T>(this, context, had, context.bindings.get(key) as T)
    context.bindings = new Map(context.bindings).set(key, value)
    return token
  }

  /** Restore the value from before the `set` that returned `token`. A token works once, in the context it was made in. */
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

/** What `ContextVar.set` returns: restores the old value once. */
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
