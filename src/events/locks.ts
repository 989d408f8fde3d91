// The locks, semaphores and the like that tasks wait for, and which tasks own them. The events say which tasks own one when a
// wait for it begins. Later, a task that wakes a waiter has released it, and the woken task owns it: while tasks wait, it is
// passed on from one to the next.
import type { LiveLock, LiveTask, Waiting } from './schema.ts'

const KINDS = new Set<Waiting['kind']>(['lock', 'semaphore', 'condition', 'event', 'barrier'])

interface Wanted {
  readonly kind: Waiting['kind']
  /** Empty if one of them is not known. */
  readonly owners: number[]
  readonly waiting: Set<number>
}

export class Locks {
  /** By name. */
  readonly #wanted = new Map<string, Wanted>()
  /** The name of what each task waits for. */
  readonly #of = new Map<number, string>()

  suspended(task: number, { kind, label, holder, owners }: Waiting): void {
    if (label === undefined || !KINDS.has(kind)) return
    let wanted = this.#wanted.get(label)
    if (wanted === undefined) {
      wanted = { kind, owners: [], waiting: new Set() }
      this.#wanted.set(label, wanted)
    }
    // Between its release and the next owner's step nothing owns a lock, but its next owner is known.
    const now = owners ?? (holder === undefined ? [] : [holder])
    if (now.length > 0) wanted.owners.splice(0, Infinity, ...now)
    wanted.waiting.add(task)
    this.#of.set(task, label)
  }

  /** A task is woken by another one. If it is not cancelled, that one has released what it waits for. */
  woken(task: number, by: number | undefined): void {
    const wanted = this.left(task)
    if (wanted === null) return
    const at = by === undefined ? -1 : wanted.owners.indexOf(by)
    if (at === -1) wanted.owners.length = 0
    else wanted.owners[at] = task
  }

  /** A task no longer waits. Returns what it waited for, if others still do. */
  left(task: number): Wanted | null {
    const label = this.#of.get(task)
    if (label === undefined) return null
    this.#of.delete(task)
    const wanted = this.#wanted.get(label) as Wanted
    wanted.waiting.delete(task)
    if (wanted.waiting.size > 0) return wanted
    this.#wanted.delete(label)
    return null
  }

  /** The tasks that own what this task waits for; empty if they are not known. */
  ownersFor(task: number): readonly number[] {
    const label = this.#of.get(task)
    return label === undefined ? [] : (this.#wanted.get(label) as Wanted).owners
  }

  list(): LiveLock[] {
    return [...this.#wanted].map(([lock, { kind, owners, waiting }]) => ({ lock, kind, owners: [...owners], waiting: [...waiting] }))
  }

  clear(): void {
    this.#wanted.clear()
    this.#of.clear()
  }

  /** Begins again with what waits. `locks`: with their owners, if the snapshot has them. */
  restore(tasks: Iterable<LiveTask>, locks: readonly LiveLock[] = []): void {
    this.clear()
    for (const { task, state, on } of tasks) if (state === 'suspended' && on !== undefined) this.suspended(task, on)
    for (const { lock, owners } of locks) this.#wanted.get(lock)?.owners.splice(0, Infinity, ...owners)
  }
}
