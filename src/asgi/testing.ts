// `loopscope/asgi/testing`: calls an application without a server, message by message, also in virtual time.
import type { Coroutine } from '../runtime/coroutine.ts'
import { CancelledError, TimeoutError } from '../runtime/exceptions.ts'
import { Queue } from '../runtime/queue.ts'
import { sleep } from '../runtime/sleep.ts'
import { createTask, type Task } from '../runtime/task.ts'
import { getRunningLoop } from '../runtime/abstract-loop.ts'
import { timeout as timeoutAfter } from '../runtime/timeout.ts'
import { call, requireApplication } from './application.ts'
import type { Application, ReceiveEvent, Scope, SendEvent } from './types.ts'

/**
 * One call of an application, with the verbs of asgiref's class of this name: `sendInput` gives it a message, `receiveOutput`
 * waits for one. It must be made within a task; the application begins at the next turn.
 */
export class ApplicationCommunicator {
  readonly #input = new Queue<ReceiveEvent>()
  readonly #output = new Queue<SendEvent>()
  readonly #task: Task<void>

  constructor(app: Application, scope: Scope) {
    requireApplication(app)
    const input = this.#input
    const output = this.#output
    this.#task = createTask(call(app, scope, () => input.get(), (event) => output.put(event)), { name: `application: ${scope.type}` })
  }

  /** Gives the application a message, for its next `receive`. */
  *sendInput(message: ReceiveEvent): Coroutine<void> {
    yield* this.#input.put(message)
  }

  /**
   * Waits at most `timeout` seconds for a message that the application sends. Throws what the application raised, if it has
   * ended; otherwise cancels it after that time and throws a TimeoutError.
   */
  *receiveOutput(timeout = 1): Coroutine<SendEvent> {
    if (this.#output.empty() && this.#task.done()) this.#task.result()
    try {
      return yield* timeoutAfter(timeout, () => this.#output.get())
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error
      if (this.#task.done()) this.#task.result()
      else yield* this.#cancel()
      throw error
    }
  }

  /** Whether the application sends nothing for `timeout` seconds; looks every `interval` seconds. */
  *receiveNothing(timeout = 0.1, interval = 0.01): Coroutine<boolean> {
    const loop = getRunningLoop()
    const end = loop.time() + timeout
    while (loop.time() < end) {
      if (!this.#output.empty()) return false
      yield* sleep(interval)
    }
    return this.#output.empty()
  }

  /** Waits at most `timeout` seconds for the application to end; throws what it raised. Cancels it and throws a TimeoutError after that time. */
  *wait(timeout = 1): Coroutine<void> {
    try {
      const task = this.#task
      yield* timeoutAfter(timeout, function* () { yield* task })
    } catch (error) {
      if (!(error instanceof CancelledError && this.#task.cancelled())) throw error
    } finally {
      if (!this.#task.done()) yield* this.#cancel()
    }
  }

  /** Cancels the application, or throws what it raised. */
  stop(): void {
    if (!this.#task.done()) this.#task.cancel()
    else if (!this.#task.cancelled()) this.#task.result()
  }

  *#cancel(): Coroutine<void> {
    this.#task.cancel()
    try {
      yield* this.#task
    } catch (error) {
      if (!(error instanceof CancelledError && this.#task.cancelled())) throw error
    }
  }
}
