// asyncExitStack(): a scope in which any number of other scopes are entered, one by one, and left in the reverse order. It is
// Python's contextlib.AsyncExitStack.
import type { Coroutine } from './coroutine.ts'
import { advance } from './async-generator.ts'
import { callBody } from './awaitable.ts'
import { describable } from './describe.ts'
import { CancelledError, RuntimeError } from './exceptions.ts'
import { notePassedOn, noteTaken } from './swallowed.ts'
import { trackUnawaited } from './unawaited.ts'

/** The body of a scope, which calls it once with what the scope gives. */
interface Body<V> {
  (): Coroutine<void>
  (value: V): Coroutine<void>
}

/** How the stack is left so far. */
type Ending = { readonly failed: false } | { readonly failed: true; readonly error: unknown }
type Exit = (ending: Ending) => Coroutine<Ending>

const NORMAL: Ending = { failed: false }
const ENTERED = Object.freeze({})

/** The argument of the body of `asyncExitStack`. */
export class AsyncExitStack {
  readonly #exits: Exit[] = []
  #left = false

  /**
   * Enter a scope and return what it gives its body: `yield* stack.enter<TaskGroup>(taskGroup)`,
   * `yield* stack.enter<Timeout>((body) => timeout(5, body))`. The rest of the stack's body is the scope's: its end, or its error, is
   * the scope's, which may throw another one in its place, or none.
   */
  enter<V = void>(scope: (body: Body<V>) => Coroutine<unknown>): Coroutine<V> {
    return trackUnawaited(this.#enter(scope), 'AsyncExitStack.enter')
  }

  *#enter<V>(scope: (body: Body<V>) => Coroutine<unknown>): Coroutine<V> {
    this.#requireOpen()
    let value: V
    const generator = scope(function* (given?: V) {
      value = given as V
      yield ENTERED as never
    }) as Generator<unknown, unknown, unknown>
    const { done } = yield* advance(generator, (entering) => entering.next())
    if (done === true) throw new RuntimeError(`${this}: a scope ended without running its body`)
    this.#exits.push(function* (ending) {
      const result = yield* advance(generator, (leaving) => ending.failed ? leaving.throw(ending.error) : leaving.next())
      if (result.done !== true) throw new RuntimeError('AsyncExitStack: a scope ran its body twice')
      return NORMAL
    })
    return value!
  }

  /** Call `fn(...args)` when the stack is left. */
  callback<A extends unknown[]>(fn: (...args: A) => unknown, ...args: A): void {
    this.#requireOpen()
    this.#exits.push(function* (ending) {
      fn(...args)
      return ending
    })
  }

  /** Await `fn(...args)` when the stack is left. */
  pushAsyncCallback<A extends unknown[]>(fn: (...args: A) => Coroutine<unknown>, ...args: A): void {
    this.#requireOpen()
    this.#exits.push(function* (ending) {
      yield* callBody('AsyncExitStack.pushAsyncCallback', fn, ...args)
      return ending
    })
  }

  #requireOpen(): void {
    if (this.#left) throw new RuntimeError(`${this} was left already`)
  }

  /** @internal */
  *leave(ending: Ending): Coroutine<Ending> {
    this.#left = true
    for (let exit = this.#exits.pop(); exit !== undefined; exit = this.#exits.pop()) {
      if (ending.failed && ending.error instanceof CancelledError) noteTaken()
      try {
        ending = yield* exit(ending)
      } catch (error) {
        ending = { failed: true, error }
      }
    }
    return ending
  }

  toString(): string {
    return `<AsyncExitStack exits=${this.#exits.length}>`
  }
}

function* stackSteps<T>(body: (stack: AsyncExitStack) => Coroutine<T>): Coroutine<T> {
  const stack = new AsyncExitStack()
  let ending = NORMAL
  let value: T
  try {
    value = yield* callBody('asyncExitStack', body, stack)
  } catch (error) {
    ending = { failed: true, error }
  }
  ending = yield* stack.leave(ending)
  if (!ending.failed) return value!
  if (ending.error instanceof CancelledError) notePassedOn()
  throw ending.error
}

/**
 * Run `body` with a stack, and return its value. When the body ends, the scopes that it has entered are left and the callbacks
 * that it has pushed are called, the last one first; what one of them throws is what the next one sees. If a scope ends the
 * error of the body, as a cancelled `taskGroup` does, the value is `undefined`.
 */
export function asyncExitStack<T>(body: (stack: AsyncExitStack) => Coroutine<T>): Coroutine<T> {
  return trackUnawaited(stackSteps(body), 'asyncExitStack')
}

describable(AsyncExitStack)
