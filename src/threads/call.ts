// One call of a plain function on a worker thread: the future that its task waits for, and what watchers see of it. Cancelling
// ends the wait at once; a running call continues, detached from its task (`orphaned` in events).
import type { ThreadCall, Wait } from '../runtime/instruments.ts'
import type { EventLoop } from '../runtime/loop.ts'
import type { Task } from '../runtime/task.ts'
import type { Plain, Target } from './exports.ts'
import type { Values } from './context-transfer.ts'
import { Context, ContextVar } from '../runtime/context.ts'
import { Future } from '../runtime/future.ts'
import { running } from '../runtime/running.ts'
import { currentTask } from '../runtime/tasks.ts'

/** A request that its call waits for. */
export interface Requested {
  readonly request: number
  /** The request that was being served where that call was made: its thread waits too. */
  readonly outer: Requested | null
  replied: boolean
}

/** In a coroutine that a thread waits for: that request. */
export const awaitedRequest = new ContextVar<Requested | null>('loopscope.awaitedRequest', { default: null })

/** What has the call now: its queue, or the thread that runs it. */
export interface Holder {
  onCancelled(call: Call): void
}

let ids = 0

export class Call<T = unknown> extends Future<T> implements ThreadCall {
  readonly id = ++ids
  readonly mode: 'sensitive' | 'pool'
  readonly function: string
  readonly task: Task<unknown> | null
  status: ThreadCall['status'] = 'queued'
  since: number
  startedAt: number | null = null
  finishedAt: number | null = null
  ending: ThreadCall['ending'] = null
  readonly fn: Plain
  readonly args: unknown[]
  /** The request of the coroutine that made it, if a thread waits for that. */
  readonly within: Requested | null
  /** The context it was made in, `null` for an empty one. It is a copy: what coroutines on its behalf set stays here. */
  readonly context: Context | null
  /** Where the function is, once that is known. */
  target: Target | null = null
  holder: Holder | null = null
  /** What the function set of its module's context variables. */
  values: Values | undefined = undefined
  #open = true
  #ended: Future<void> | null = null

  /** `withContext`: whether the context variables are sent with it, as in `toThread`; not for an executor's calls, as in asyncio. */
  constructor(loop: EventLoop, mode: 'sensitive' | 'pool', fn: Plain, args: unknown[], withContext: boolean) {
    super(undefined, loop)
    this.mode = mode
    this.fn = fn
    this.function = fn.name === '' ? 'anonymous' : fn.name
    this.task = currentTask()
    this.args = args
    this.within = awaitedRequest.get()
    this.context = withContext && running.context !== null ? new Context(running.context.bindings) : null
    this.since = loop.time()
    loop.addHostWork(1)
  }

  /** Its thread begins with it. */
  start(): void {
    this.status = 'running'
    this.startedAt = this.since = this.loop.time()
    this.loop.probe?.tell('threadStarted', this as ThreadCall)
  }

  /** The call's end: the function's, or the thread's. */
  finish(outcome: 'returned' | 'raised', value: unknown): void {
    const started = this.status !== 'queued'
    this.#end(outcome)
    if (started && !this.loop.isClosed()) this.loop.probe?.tell('threadFinished', this as ThreadCall)
    if (this.done() || this.loop.isClosed()) return
    if (outcome === 'returned') this.setResult(value as T)
    else this.fail(value)
  }

  /** Done once the function has ended or will never begin, even if no task waits for its result. */
  ended(): Future<void> {
    if (this.#ended === null) {
      this.#ended = new Future<void>({ loop: this.loop })
      if (this.status === 'finished') this.#ended.setResult()
      else this.loop.addHostWork(1)
    }
    return this.#ended
  }

  override cancel(message?: string): boolean {
    if (!super.cancel(message)) return false
    if (this.status === 'running') {
      this.status = 'orphaned'
      this.since = this.loop.time()
      this.#close()
    } else {
      this.#end('cancelled')
    }
    this.holder?.onCancelled(this as Call)
    return true
  }

  #end(outcome: 'returned' | 'raised' | 'cancelled'): void {
    this.ending = this.status === 'orphaned' ? 'orphaned' : outcome
    this.status = 'finished'
    this.finishedAt = this.since = this.loop.time()
    this.#close()
    if (this.#ended === null) return
    this.loop.addHostWork(-1)
    if (!this.#ended.done() && !this.loop.isClosed()) this.#ended.setResult()
  }

  /** The loop's task no longer waits for the host. */
  #close(): void {
    if (!this.#open) return
    this.#open = false
    this.loop.addHostWork(-1)
  }

  override label(): string {
    return `${this.function}() (${this.mode})`
  }

  override describeWait(): Wait {
    return { kind: 'thread', label: this.function }
  }

  override toString(): string {
    return `<ThreadCall ${this.id} ${this.function} ${this.mode} ${this.status}>`
  }
}
