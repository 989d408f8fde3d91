// What runs inside a worker thread: it receives calls and runs them, one at a time. While one of them waits for a coroutine on
// the main loop, calls that this coroutine makes can run on top of it.
import { Context } from '../runtime/context.ts'
import { describe } from '../runtime/describe.ts'
import { RuntimeError } from '../runtime/exceptions.ts'
import type { Channel } from './channel.ts'
import { pack } from './errors.ts'
import { functionAt, knownModule, loadModule, loadNeighbours, type LoadedModule } from './exports.ts'
import { CALL, CANCEL, READY, REQUEST, RETURNED, THREW, type Call, type Reply, type Request, type ToWorker } from './protocol.ts'
import { explained } from './tsx.ts'
import { putDown, takeBack } from './context-transfer.ts'

/** If its own event loop has something open, an idle thread runs that loop after this long, then after twice as long, and so on. */
const FIRST_PATIENCE_MS = 1
const LONGEST_PATIENCE_MS = 1000

export class WorkerLoop {
  readonly #channel: Channel
  /** The running calls, innermost last. */
  readonly #running: number[] = []
  /** How many calls wait in asyncToSync, during which this thread's event loop cannot run. */
  #blocked = 0
  readonly #waiting = new Map<number, (reply: Reply) => void>()
  #requests = 0

  constructor(channel: Channel) {
    this.#channel = channel
  }

  async serve(): Promise<never> {
    const calm = process.getActiveResourcesInfo().length
    this.#channel.send([READY])
    let patience = FIRST_PATIENCE_MS
    let restless = false
    for (let woken = false; ; ) {
      const message = this.#channel.receive() as ToWorker | null
      if (message !== null) {
        woken = false
        const more = this.#handle(message)
        if (more !== undefined) await more
      } else if (!restless && !woken) {
        // Without a timeout: the system takes longer for one than for the rest of a call.
        woken = this.#channel.wait(Infinity)
        patience = FIRST_PATIENCE_MS
      } else if (woken || !this.#channel.wait(patience)) {
        // No call came: what functions left to this thread's event loop (output, timers) runs now.
        await new Promise((resolve) => setImmediate(resolve))
        restless = process.getActiveResourcesInfo().length > calm
        patience = Math.min(patience * 2, LONGEST_PATIENCE_MS)
        woken = false
      }
    }
  }

  #handle(message: ToWorker): Promise<void> | undefined {
    if (message[0] === CALL) return this.#call(message)
    const settle = this.#waiting.get(message[1])
    this.#waiting.delete(message[1])
    settle?.(message)
    return undefined
  }

  #call(call: Call): Promise<void> | undefined {
    const [, id, [url, name]] = call
    const module = knownModule(url)
    if (module !== undefined) return this.#run(call, module)
    if (this.#blocked > 0) {
      this.#threw(id, new RuntimeError(
        `${name}(): its thread is blocked in asyncToSync and cannot load ${url} meanwhile: import it in the module of the function that called asyncToSync`,
      ))
      return undefined
    }
    return this.#load(call, url)
  }

  async #load(call: Call, url: string): Promise<void> {
    let module: LoadedModule
    try {
      module = await loadModule(url)
      await loadNeighbours()
    } catch (error) {
      this.#threw(call[1], explained(error))
      return
    }
    await this.#run(call, module)
  }

  #run(call: Call, module: LoadedModule): Promise<void> | undefined {
    const [, id, [, name], args, values] = call
    const context = new Context()
    this.#running.push(id)
    let value: unknown
    try {
      value = context.run(() => {
        putDown(module, values)
        return (functionAt(module, name) as (...args: unknown[]) => unknown)(...args)
      })
      if (typeof (value as PromiseLike<unknown> | null)?.then === 'function') {
        if (this.#blocked === 0) return this.#settle(call, module, value as PromiseLike<unknown>, context)
        throw new RuntimeError(`${name}() returned a promise while its thread is blocked in asyncToSync: nothing could settle it`)
      }
    } catch (error) {
      this.#running.pop()
      this.#threw(id, error, takeBack(module, context, values))
      return undefined
    }
    this.#running.pop()
    this.#returned(call, value, takeBack(module, context, values))
    return undefined
  }

  /** The function returned a promise: this thread's event loop runs until it is settled. */
  async #settle(call: Call, module: LoadedModule, promise: PromiseLike<unknown>, context: Context): Promise<void> {
    let end: (() => void) | null = null
    promise.then(
      (value) => {
        end = () => this.#returned(call, value, takeBack(module, context, call[4]))
      },
      (error: unknown) => {
        end = () => this.#threw(call[1], error, takeBack(module, context, call[4]))
      },
    )
    const settled = promise.then(() => {}, () => {})
    while (end === null) {
      const message = this.#channel.receive() as ToWorker | null
      if (message !== null) void this.#handle(message)
      else await Promise.race([settled, this.#channel.waitAsync()])
    }
    this.#running.pop()
    ;(end as () => void)()
  }

  #returned([, id, [, name]]: Call, value: unknown, values: object | undefined): void {
    try {
      this.#channel.send([RETURNED, id, value, values])
    } catch (error) {
      const hint = Object.prototype.toString.call(value) === '[object Generator]' ? ': a coroutine runs on a loop, not on a thread' : ''
      this.#threw(id, new TypeError(`${name}() returned ${describe(value)}, or set a context variable, that cannot be copied to another thread${hint}`, { cause: error }))
    }
  }

  #threw(id: number, error: unknown, values?: object): void {
    try {
      this.#channel.send([THREW, id, pack(error), values])
    } catch {
      this.#channel.send([THREW, id, pack(error), undefined])
    }
  }

  /** Asks the main loop for a coroutine; `settle` gets the reply. Throws a RuntimeError outside a call. */
  request(caller: string, blocks: boolean, rest: readonly [Request[4], unknown[], Request[6]], settle: (reply: Reply) => void): number {
    const call = this.#running.at(-1)
    if (call === undefined) throw new RuntimeError(`${caller}: no call runs on this worker thread now: use it inside of a function that the main thread called`)
    const id = ++this.#requests
    this.#channel.send([REQUEST, id, call, blocks, ...rest])
    this.#waiting.set(id, settle)
    return id
  }

  cancel(id: number): void {
    this.#channel.send([CANCEL, id])
  }

  /** Blocks this thread until `done()`, or for `ms`; messages that arrive meanwhile are handled. */
  blockUntil(done: () => boolean, ms: number): void {
    const end = ms === Infinity ? Infinity : performance.now() + ms
    this.#blocked++
    try {
      while (!done()) {
        const message = this.#channel.receive() as ToWorker | null
        if (message !== null) {
          void this.#handle(message)
          continue
        }
        const left = end - performance.now()
        if (left <= 0) return
        this.#channel.wait(left)
      }
    } finally {
      this.#blocked--
    }
  }
}
