// taskGroup(): a scope that ends only when all its tasks have ended. The first failure cancels the others; all failures are
// thrown as one ExceptionGroup.
import type { Wait } from './instruments.ts'
import type { Coroutine } from './coroutine.ts'
import { callBody } from './awaitable.ts'
import { describable } from './describe.ts'
import { CancelledError, ExceptionGroup, RuntimeError } from './exceptions.ts'
import { Future } from './future.ts'
import { getRunningLoop, type AbstractEventLoop } from './abstract-loop.ts'
import { currentTask } from './tasks.ts'
import type { Task, TaskOptions } from './task.ts'
import { notePassedOn, noteTaken } from './swallowed.ts'
import { trackUnawaited } from './unawaited.ts'

/** The future that the scope waits for while its tasks finish. */
class GroupFuture extends Future<void> {
  readonly #tasks: ReadonlySet<Task<unknown>>

  constructor(loop: AbstractEventLoop, tasks: ReadonlySet<Task<unknown>>) {
    super({ loop })
    this.#tasks = tasks
  }

  override describeWait(): Wait {
    return { kind: 'gather', label: `taskGroup of ${this.#tasks.size}`, tasks: [...this.#tasks] }
  }

  awaits(): Iterable<Future<unknown>> {
    return this.#tasks
  }
}

/** The argument of the body of `taskGroup`: makes tasks in the group. */
export class TaskGroup {
  readonly #loop: AbstractEventLoop
  readonly #parent: Task<unknown>
  /** In order of creation, which is also the order in which they are cancelled. */
  readonly #tasks = new Set<Task<unknown>>()
  readonly #errors: unknown[] = []
  #aborting = false
  #exiting = false
  #parentCancelRequested = false
  #completed: Future<void> | null = null

  /** @internal */
  constructor(loop: AbstractEventLoop, parent: Task<unknown>) {
    this.#loop = loop
    this.#parent = parent
  }

  /** Make a task in this group. Throws a RuntimeError once the group is finished or shutting down. */
  createTask<T>(coro: Coroutine<T>, options?: TaskOptions): Task<T> {
    const problem = this.#isFinished() ? 'is finished' : this.#aborting ? 'is shutting down' : null
    if (problem !== null) throw new RuntimeError(`${this} ${problem} and takes no further tasks`)
    const task = this.#loop.createTask(coro, options)
    this.#tasks.add(task as Task<unknown>)
    task.addDoneCallback(this.#onTaskDone)
    // A task that starts eagerly may have cancelled the group before it was added.
    if (this.#aborting && !task.done()) task.cancel()
    return task
  }

  /**
   * Cancel every task of the group and its body; the scope then ends without an error, unless a task fails while it is
   * cancelled, or the scope is also cancelled from outside. Has no effect once the group is shutting down or finished.
   */
  cancel(): void {
    if (this.#aborting || this.#isFinished()) return
    this.#abort()
    this.#interruptParent()
  }

  #isFinished(): boolean {
    return this.#exiting && this.#tasks.size === 0
  }

  #abort(): void {
    this.#aborting = true
    for (const task of this.#tasks) if (!task.done()) task.cancel()
  }

  /** Cancel whatever the parent waits for. The scope withdraws this request when it ends. */
  #interruptParent(): void {
    if (this.#parentCancelRequested) return
    this.#parentCancelRequested = true
    this.#parent.cancel()
  }

  readonly #onTaskDone = (future: Future<unknown>): void => {
    const task = future as Task<unknown>
    this.#tasks.delete(task)
    if (this.#completed !== null && this.#tasks.size === 0 && !this.#completed.done()) this.#completed.setResult()
    if (!task.failed()) return
    const error = task.exception()
    this.#errors.push(error)
    if (this.#parent.done()) {
      this.#loop.callExceptionHandler({
        message: `${String(task)} failed, and ${String(this.#parent)}, whose group it is in, has ended already`,
        exception: error,
        task,
      })
      return
    }
    if (this.#aborting || this.#parentCancelRequested) return
    this.#abort()
    this.#interruptParent()
  }

  /** @internal Wait for the tasks after the body returned or threw `error`; throws the outcome of the scope. */
  *exit(failed: boolean, error: unknown): Coroutine<void> {
    this.#exiting = true
    let cancellation = failed && error instanceof CancelledError ? error : null
    if (cancellation !== null) noteTaken()
    if (failed && !this.#aborting) this.#abort()
    let interruption: CancelledError | null = null
    // In a loop, because each cancellation of the parent interrupts this wait.
    while (this.#tasks.size > 0) {
      this.#completed ??= new GroupFuture(this.#loop, this.#tasks)
      try {
        yield* this.#completed
      } catch (thrown) {
        if (!(thrown instanceof CancelledError)) throw thrown
        noteTaken()
        interruption = thrown
        if (!this.#aborting) {
          cancellation = thrown
          this.#abort()
        }
      }
      this.#completed = null
    }
    // Withdraw the group's own request. If requests remain, the parent was also cancelled from outside: keep that cancellation.
    if (this.#parentCancelRequested) cancellation = this.#parent.uncancel() === 0 ? null : cancellation ?? interruption
    if (cancellation !== null && this.#errors.length === 0) {
      notePassedOn()
      throw cancellation
    }
    if (failed && !(error instanceof CancelledError)) this.#errors.push(error)
    if (this.#errors.length === 0) return
    if (this.#parent.cancelling() > 0) {
      // Also cancelled from outside: throw the group now, and deliver the request at the next wait.
      this.#parent.uncancel()
      this.#parent.cancel()
    }
    const count = this.#errors.length
    throw new ExceptionGroup(`${count} ${count === 1 ? 'error' : 'errors'} in a taskGroup`, this.#errors)
  }

  toString(): string {
    const parts = ['TaskGroup']
    if (this.#tasks.size > 0) parts.push(`tasks=${this.#tasks.size}`)
    if (this.#errors.length > 0) parts.push(`errors=${this.#errors.length}`)
    if (this.#aborting) parts.push('cancelling')
    return `<${parts.join(' ')}>`
  }
}

function* groupSteps<T>(body: (group: TaskGroup) => Coroutine<T>): Coroutine<T> {
  const parent = currentTask()
  if (parent === null) throw new RuntimeError('taskGroup: a group belongs to a task, and none is running here')
  const group = new TaskGroup(getRunningLoop(), parent)
  let value: T
  try {
    value = yield* callBody('taskGroup', body, group)
  } catch (error) {
    yield* group.exit(true, error)
    // The body was interrupted by its own group only, and the group has nothing to throw.
    return undefined as T
  }
  yield* group.exit(false, null)
  return value
}

/**
 * Run `body` with a group to make tasks in, wait for all of them, and return the body's value. The first task that fails
 * cancels the others and the body; then all failures are thrown as one ExceptionGroup. A cancelled task is not a failure.
 * If `tg.cancel()` ended the body, the value is `undefined`.
 */
export function taskGroup<T>(body: (group: TaskGroup) => Coroutine<T>): Coroutine<T> {
  return trackUnawaited(groupSteps(body), 'taskGroup')
}

describable(TaskGroup)
