// What the code that runs belongs to: the request that it serves, or a name that the program has given it. It is kept in an
// AsyncLocalStorage, and read only while the thread is blocked: the code that the inspector evaluates reads it (stack-probe.ts).
import { AsyncLocalStorage } from 'node:async_hooks'
import { REQUEST_STORE } from './stack-probe.ts'

export interface Origin {
  /** The number of the request in events; 0 for work that no request has started. */
  readonly id: number
  readonly name: string
}

const LONGEST_NAME = 200

/** One for all copies of the package. It is made when the thread is observed: other programs pay nothing. */
const globals = globalThis as Record<symbol, AsyncLocalStorage<Origin> | undefined>
const KEY = Symbol.for(REQUEST_STORE)

/** Returns the store, and makes it at the first call. */
export function originStore(): AsyncLocalStorage<Origin> {
  return (globals[KEY] ??= new AsyncLocalStorage())
}

/**
 * Calls `fn` and returns its result. If its code blocks the thread, also after a wait, in a timer or in a promise that it has
 * started, the stall is reported by this name, such as `job resize`. It is for work that no HTTP request has started. Within a
 * request, the stall is still counted for the request. On a thread that is not observed it only calls `fn`.
 *
 * Throws a RangeError if the name is empty or longer than 200 characters.
 */
export function withName<T>(name: string, fn: () => T): T {
  if (typeof name !== 'string' || name === '' || name.length > LONGEST_NAME) {
    throw new RangeError(`withName: the name must be a text of 1 to ${LONGEST_NAME} characters, got ${typeof name === 'string' ? `one of ${name.length}` : String(name)}`)
  }
  const store = globals[KEY]
  if (store === undefined) return fn()
  return store.run({ id: store.getStore()?.id ?? 0, name }, fn)
}
