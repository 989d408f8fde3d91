// Coroutines that worker threads ask for (asyncToSync, runCoroutineThreadsafe): each is a task on the loop of the call that
// asked, in that call's context, and is cancelled when that call's task is.
import type { Coroutine } from '../runtime/coroutine.ts'
import type { Task } from '../runtime/task.ts'
import type { Reply, Request } from './protocol.ts'
import { awaitedRequest, type Call, type Requested } from './call.ts'
import { isCoroutine } from '../runtime/coroutine.ts'
import { Context } from '../runtime/context.ts'
import { describe } from '../runtime/describe.ts'
import { CancelledError, RuntimeError } from '../runtime/exceptions.ts'
import { functionAt, loadModule, type LoadedModule } from './exports.ts'
import { pack } from './errors.ts'
import { REPLY } from './protocol.ts'
import { putDown, takeBack, type Values } from './context-transfer.ts'

interface Open {
  readonly call: Call
  readonly blocking: Requested | null
  task: Task<unknown> | null
  cancelled: boolean
}

export class Requests {
  readonly #send: (reply: Reply) => void
  readonly #open = new Map<number, Open>()

  /** `send` sends a reply to the thread, or throws if it cannot be copied. */
  constructor(send: (reply: Reply) => void) {
    this.#send = send
  }

  /** Starts what `call` asks for; returns the request if the call waits for it. */
  start(message: Request, call: Call): Requested | null {
    const [, id, , blocks, [url, name], args, values] = message
    const blocking: Requested | null = blocks ? { request: id, outer: call.within, replied: false } : null
    this.#open.set(id, { call, blocking, task: null, cancelled: call.status === 'orphaned' })
    loadModule(url).then(
      (module) => this.#run(id, module, name, args, values),
      (error: unknown) => this.#reply(id, false, error),
    )
    return blocking
  }

  #run(id: number, module: LoadedModule, name: string, args: unknown[], values: Values | undefined): void {
    const open = this.#open.get(id)
    if (open === undefined) return
    const { loop } = open.call
    try {
      if (loop.isClosed()) throw new RuntimeError(`${name}(): the event loop of the call is closed`)
      if (open.cancelled) throw new CancelledError('the call that asked for it was cancelled')
      const context = new Context(open.call.context?.bindings)
      const coro = context.run(() => {
        putDown(module, values)
        awaitedRequest.set(open.blocking ?? open.call.within)
        return (functionAt(module, name) as (...args: unknown[]) => unknown)(...args)
      })
      if (!isCoroutine(coro)) throw new TypeError(`asyncToSync: a coroutine function is needed, ${name}() returned ${describe(coro)}`)
      open.task = loop.createTask(coro as Coroutine<unknown>, { context })
      open.task.addDoneCallback((task) => {
        const back = takeBack(module, context, values)
        try {
          this.#reply(id, true, task.result(), back)
        } catch (error) {
          this.#reply(id, false, error, back)
        }
      })
    } catch (error) {
      this.#reply(id, false, error)
    }
  }

  #reply(id: number, ok: boolean, value: unknown, values?: Values): void {
    const open = this.#open.get(id)
    if (open === undefined) return
    this.#open.delete(id)
    if (open.blocking !== null) open.blocking.replied = true
    try {
      this.#send([REPLY, id, ok, ok ? value : pack(value), values])
    } catch (error) {
      this.#send([REPLY, id, false, pack(new TypeError(`the coroutine's result cannot be copied to the worker thread: ${String(error)}`)), undefined])
    }
  }

  cancel(id: number): void {
    const open = this.#open.get(id)
    if (open === undefined) return
    open.cancelled = true
    open.task?.cancel()
  }

  /** Cancels all requests of `call`. */
  cancelOf(call: Call): void {
    for (const [id, open] of this.#open) if (open.call === call) this.cancel(id)
  }
}
