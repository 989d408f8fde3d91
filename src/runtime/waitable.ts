// What a task can be suspended on, and how it is described to whoever asks what the task waits for.

/** What a suspended task waits for. */
export type WaitKind =
  | 'sleep' | 'future' | 'task' | 'gather' | 'queue.get' | 'queue.put' | 'queue.join'
  | 'lock' | 'event' | 'condition' | 'semaphore' | 'barrier' | 'thread' | 'promise' | 'yield'

/** A wait in itself. With the tasks whose end would end it, it is a `Wait`. */
export interface WaitDescription {
  kind: WaitKind
  /** What in particular: a lock, a queue, a function, in one line. */
  readonly label?: string
  /** The lock or the queue itself. */
  of?: object
  /** When the wait ends by itself, in seconds on the loop's clock. */
  deadline?: number
}

export interface Waitable {
  /** Give the wait up; false if it has ended already. */
  cancel(message?: string): boolean
  /** @internal Take note of the outcome without throwing it; tells whether it was a cancellation. */
  absorb(): boolean
  /** @internal */
  describeWait(): WaitDescription
  /** @internal The futures whose end would end the wait, where it is made of others. */
  awaits?(): Iterable<Waitable>
}
