// Copies of the runtime with one fault each, which the comparison must find.
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { replaceOnce, type Replacement } from '../support/replace.ts'

export interface Break extends Replacement {
  title: string
}

export const BREAKS: Break[] = [
  {
    title: 'the newest entry of the ready queue runs first',
    file: 'runtime/ready.ts',
    was: `    const tail = this.#tail
    this.#cells[tail] = what
    this.#cells[tail + 1] = argument
    this.#tail = (tail + 2) & this.#mask`,
    now: `    this.#head = (this.#head - 2) & this.#mask
    this.#cells[this.#head] = what
    this.#cells[this.#head + 1] = argument`,
  },
  {
    title: 'a task that a callback wakes runs at once, without its trip through the ready queue',
    file: 'runtime/task.ts',
    was: `  settled(): void {
    this.loop.wake(this as Task<unknown>)`,
    now: `  settled(): void {
    if (running.task === null) this.step()
    else this.loop.wake(this as Task<unknown>)`,
  },
  {
    title: 'a newcomer takes a lock from under the one who was woken for it',
    file: 'runtime/lock.ts',
    was: 'if (this.#locked || !this.#waiters.allCancelled()) {',
    now: 'if (this.#locked) {',
  },
  {
    title: 'a lock loses the wake-up of a waiter that is cancelled',
    file: 'runtime/lock.ts',
    was: 'if (error instanceof CancelledError && !this.#locked) this.#wakeFirst()',
    now: '',
  },
  {
    title: 'a queue loses the wake-up of a waiter that is cancelled',
    file: 'runtime/queue.ts',
    was: 'if (state === WOKEN && !this.blocked()) wakeNext(this.line())',
    now: '',
  },
  {
    title: 'a task group that was cancelled takes a cancellation from outside for its own',
    file: 'runtime/task-group.ts',
    was: '=== 0 ? null : cancellation ?? interruption',
    now: '=== 0 ? null : cancellation',
  },
  {
    title: 'a task that cancels its group while it starts eagerly is forgotten',
    file: 'runtime/task-group.ts',
    was: 'if (this.#aborting && !task.done()) task.cancel()',
    now: '',
  },
]

const SOURCES = fileURLToPath(new URL('../../src', import.meta.url))

/** Copies the runtime into `folder`, breaks the copy, and returns its path; throws unless the text to break is there once. */
export async function breakRuntime(broken: Break, folder: string): Promise<string> {
  await cp(SOURCES, folder, { recursive: true })
  await replaceOnce(folder, broken)
  return join(folder, 'index.ts')
}
