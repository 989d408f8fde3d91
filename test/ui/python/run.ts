// What a test asks of page/main.ts, and what it gets.
import type { LoopEvent } from '../../../src/events/schema.ts'
import type { Program, Said } from '../../../ui/playground/messages.ts'

export interface RunOptions {
  program: Program
  clock: 'real' | 'virtual'
  until?: number
  /** Cancels the program this number of ms after its start. */
  cancelAfter?: number
  /** Ends the thread after this number of ms. */
  endAfter?: number
}

export interface Ran {
  events: LoopEvent[]
  said: Said[]
  /** Messages that the gate refused. */
  refused: number
  /** Milliseconds from the request to the first output, and to the end. */
  first: number
  ended: number
}

export interface PythonPage {
  /** Starts CPython; returns the milliseconds that it took. */
  prepare(): Promise<number>
  run(options: RunOptions): Promise<Ran>
}
