// Which step runs on the watched thread, and since when. Most steps begin and end without a call: the loop writes their tasks
// on the tape, which is the rest of a record of steps, and only where that is full, or the time is due, a new one is begun.
import type { RingWriter } from './ring.ts'
import { running } from '../runtime/running.ts'
import { Tape, TAPE_AT, TAPE_END } from '../runtime/tape.ts'
import { Edges } from './holder-clock.ts'
import { EAGER, MOST_STEPS, STEPS_AT, STEPS_SHIFT, WORD, type View } from './layout.ts'
import { HEAD, STEPS_KIND } from './record-schema.ts'

/** The longest time between two steps that a record can tell, in seconds. */
const LONGEST = 2

export class Steps {
  readonly tape: Tape
  readonly edges: Edges
  readonly #ring: RingWriter
  readonly #words: Int32Array
  readonly #control: Int32Array
  /** The offset of the record that is being written; -1: none is. */
  #open = -1
  #openedAt = 0
  /** Up to here the edges on the tape have been counted. */
  #counted = 0
  /** The task whose step runs, or ran last and has not been said to have ended; 0: none. While a record is open it is on the tape. */
  #current = 0
  /** Those in whose steps it began (eager tasks). */
  readonly #outer: { task: number; since: number }[] = []

  constructor(view: View, ring: RingWriter, edges: Edges) {
    this.#ring = ring
    this.#words = view.words
    this.#control = view.words.subarray(WORD.tape)
    this.#control[TAPE_END] = 0
    this.tape = new Tape(view.records.words, this.#control)
    this.edges = edges
  }

  /** The task whose step runs, 0 where none does that is known of. */
  get current(): number {
    return this.#open < 0 ? this.#current : (this.tape.cells[(this.#control[TAPE_AT] as number) - 1] as number)
  }

  /** A step runs that began inside of another, or of a callback. */
  get nested(): boolean {
    return this.#outer.length > 0
  }

  /** Whether the step of this task runs, if only one inside of it does just now. */
  runs(task: number): boolean {
    return this.current === task || this.#outer.some((outer) => outer.task === task)
  }

  /** A step runs that no record tells of. */
  resume(task: number): void {
    this.#current = task
    this.edges.task(task)
  }

  /** How many steps the tape has taken since the last call: the time is due after so many. */
  count(): number {
    if (this.#open < 0) return 0
    const at = this.#control[TAPE_AT] as number
    const count = at - this.#counted
    this.#counted = at
    this.edges.left -= count
    return count
  }

  /** Begin a step that the tape did not take, now: the one before it has ended. There must be room for a record, and none open. */
  begin(task: number): void {
    const { edges, tape } = this
    edges.free(this.current)
    const at = this.#write(task, 0)
    this.#open = at
    this.#openedAt = edges.now
    const first = at + STEPS_AT
    this.#counted = first + 1
    this.#control[TAPE_AT] = first + 1
    // It must not go round the end of the ring.
    this.#control[TAPE_END] = tape.implied ? Math.min(first + Math.min(edges.left, MOST_STEPS), tape.cells.length) : 0
    this.#words[WORD.open] = 1
    edges.steps()
  }

  /** Begin a step inside of another's, or of a callback's; `told`: write that down. */
  beginEager(task: number, told: boolean): void {
    this.#outer.push({ task: this.#current, since: this.edges.since })
    if (told) {
      this.#write(task, EAGER)
      this.#ring.take(STEPS_AT + 1)
    }
    this.resume(task)
  }

  /** The step has ended; a record says so, or will. */
  end(): void {
    this.close()
    const ended = this.#current
    const outer = this.#outer.pop()
    this.#current = outer?.task ?? 0
    if (this.#current === 0) this.edges.free(ended)
    else this.edges.task(this.#current, outer?.since)
  }

  /** Whether the last step has ended without a word. */
  get overdue(): boolean {
    return running.task === null && this.current !== 0
  }

  /** The last step has ended in `sleep(0)`: write that down. There is always room for it. */
  yielded(): void {
    const task = this.current
    this.end()
    this.#ring.put(HEAD.yielded, task, this.edges.now)
  }

  /** Close the record that is being written: no other can be before. The step goes on. */
  close(): void {
    const at = this.#open
    if (at < 0) return
    this.count()
    this.#current = this.current
    this.#open = -1
    const control = this.#control
    control[TAPE_END] = 0
    const steps = (control[TAPE_AT] as number) - at - STEPS_AT
    const { words } = this.#ring
    words[at] = STEPS_KIND | (steps << STEPS_SHIFT)
    if (steps > 1) words[at + 1] = Math.min(this.edges.now - this.#openedAt, LONGEST) * 1e9
    this.#words[WORD.open] = 0
    this.#ring.take(steps + STEPS_AT)
  }

  /** The beginning of a record of one step. */
  #write(task: number, flags: number): number {
    const ring = this.#ring
    const at = ring.place()
    ring.words[at] = STEPS_KIND | flags | (1 << STEPS_SHIFT)
    ring.words[at + 1] = 0
    ring.numbers[(at >> 1) + 1] = this.edges.now
    ring.words[at + STEPS_AT] = task
    return at
  }
}
