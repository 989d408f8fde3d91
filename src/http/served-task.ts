// A task that serves a request: its timing, how it ended, and what is done with those that are left when a server closes. The
// servers of HTTP frameworks and of ASGI applications have it in common.
import type { IncomingMessage } from 'node:http'
import type { Context } from '../runtime/context.ts'
import type { Coroutine } from '../runtime/coroutine.ts'
import type { EventLoop } from '../runtime/loop.ts'
import { CANCELLED, FINISHED } from '../runtime/future.ts'
import { Task } from '../runtime/task.ts'
import { arrivedWithin } from './arrival.ts'
import { follow, leftAgo, Timing, type BlockLog } from './request-timing.ts'
import { SwapRemoveSet, type Indexed } from './swap-remove-set.ts'

export type RequestOutcome = 'returned' | 'raised' | 'cancelled' | 'disconnected'

/** While a server closes, what is left is cancelled this often, in ms. */
const CANCEL_AGAIN_MS = 200

/** The timing of a request that is read now. */
export function timingOf(request: IncomingMessage, { loop, blocks }: { loop: EventLoop; blocks: BlockLog }): Timing {
  return new Timing(blocks, loop.time(), leftAgo(request.headers['x-request-start']), arrivedWithin(request))
}

export abstract class ServedTask implements Indexed {
  /** @internal */ index = -1
  task: Task<unknown> | null = null
  readonly timing: Timing
  protected readonly loop: EventLoop

  constructor(request: IncomingMessage, of: { loop: EventLoop; blocks: BlockLog }) {
    this.loop = of.loop
    this.timing = timingOf(request, of)
  }

  /** The task has ended. `failure` is what it raised, or its CancelledError. */
  protected abstract ended(task: Task<unknown>, outcome: RequestOutcome, failure: unknown): void

  /** Serves the request by this coroutine. */
  protected run(coro: Coroutine<unknown>, name: string, context: Context): void {
    const task = new Task(coro, { name, context }, this.loop)
    // It is measured up to now.
    follow(task, this.timing, this.timing.since)
    this.task = task
    task.addListener(this)
  }

  /** @internal The task has ended, within its last step. What the tasks that are left do is no part of the answer. */
  settled(future: unknown): void {
    const task = future as Task<unknown>
    this.timing.measure(this.loop.time())
    if (task.state === FINISHED) {
      this.ended(task, 'returned', null)
      return
    }
    // The failure is retrieved after the task has noted it.
    queueMicrotask(() => task.retrieved())
    if (task.state === CANCELLED) this.ended(task, 'cancelled', task.takeCancelledError())
    else this.ended(task, 'raised', task.value)
  }
}

/** The tasks that serve requests now. */
export class ServedTasks<T extends ServedTask> extends SwapRemoveSet<T> {
  /** Cancels those that were not cancelled before. */
  cancel(): void {
    for (const { task } of this) if (task?.cancelling() === 0) task.cancel('the server is closing')
  }

  /** Lets them finish for some seconds, then cancels what is left, again and again. The returned function ends that. */
  cancelAfter(seconds: number): () => void {
    let timer = setTimeout(() => {
      this.cancel()
      timer = setInterval(() => this.cancel(), CANCEL_AGAIN_MS)
    }, seconds * 1000)
    return () => clearTimeout(timer)
  }
}
