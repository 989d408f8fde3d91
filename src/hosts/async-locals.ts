// Whether this process uses AsyncLocalStorage at all. To note the context of each task costs a fifth of making the task, and
// most programs never set anything: so contexts are noted only after a store is entered for the first time.
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'

/** The methods that enter a store, as far as this Node has them. */
const ENTERING = ['run', 'enterWith', 'withScope'] as const

type Method = (this: unknown, ...args: unknown[]) => unknown
type Entering = Record<string, Method | undefined>

export const asyncLocals = {
  used: wasUsed(),
  /** The context of the program's start, in which nothing is set. */
  empty: new AsyncResource('loopscope'),
}

if (!asyncLocals.used) {
  const methods = AsyncLocalStorage.prototype as unknown as Entering
  const own = ENTERING.flatMap((name) => (methods[name] === undefined ? [] : [[name, methods[name], noting(name, methods[name])] as const]))
  for (const [name, , noted] of own) methods[name] = noted

  /** The method with a note of its first use; after that all methods are restored. */
  function noting(name: string, method: Method): Method {
    const noted: Method = function (...args) {
      asyncLocals.used = true
      for (const [name, before, noted] of own) if (methods[name] === noted) methods[name] = before
      return method.apply(this, args)
    }
    return Object.defineProperty(noted, 'name', { value: name })
  }
}

/** Whether a store was entered before this module was loaded: a resource then carries what is set, even if that is nothing. */
function wasUsed(): boolean {
  const resource = new AsyncResource('loopscope') as unknown as Record<symbol, unknown>
  return Object.getOwnPropertySymbols(resource).some((symbol) =>
    symbol.description === 'kResourceStore' || (symbol.description === 'context_frame' && resource[symbol] !== undefined))
}
