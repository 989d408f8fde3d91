// What a task can be suspended on, and the description of such a wait.

/** What a suspended task waits for. */
export type WaitKind =
  | 'sleep' | 'future' | 'task' | 'gather' | 'queue.get' | 'queue.put' | 'queue.join'
  | 'lock' | 'event' | 'condition' | 'semaphore' | 'barrier' | 'thread' | 'promise' | 'receive' | 'send' | 'yield'

/** The description of a wait. A `Wait` adds the tasks whose end would end it. */
export interface WaitDescription {
  kind: WaitKind
  /** What in particular: a lock, a queue, a function, in one line. */
  readonly label?: string
  /** The lock or the queue itself. */
  of?: object
  /** The task that owned the lock when the wait began. */
  readonly holder?: { readonly id: number } | null
  /** The tasks that own the permits of the semaphore; empty if they are not known. */
  readonly owners?: Iterable<{ readonly id: number }> | undefined
  /** When the wait ends by itself, in seconds on the loop's clock. */
  deadline?: number
}

export interface Waitable {
  /** Cancel the wait; false if it has ended already. */
  cancel(message?: string): boolean
  /** @internal Mark the outcome as retrieved without throwing it; returns whether it was a cancellation. */
  absorb(): boolean
  /** @internal */
  describeWait(): WaitDescription
  /** @internal The futures whose end would end the wait, if it depends on others. */
  awaits?(): Iterable<Waitable>
}
