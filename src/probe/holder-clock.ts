// What holds the thread, and since when, in the shared header: written at every edge of a step, a callback or a handler,
// with plain stores. It also keeps the time, and reads the clock no oftener than it must.
import { HOLDER, NUMBER, WORD, type View } from './layout.ts'

/** While steps take less than this many seconds, one clock reading serves several edges: as many as pass in so many seconds. */
const SHORT = 2e-6
const SPAN = 32e-6
const MOST_EDGES = 128
/** Where several edges took longer than this together, in seconds, something between them was long. */
const LONG = 64e-6
/**
 * Where something was long among several edges, and nobody knows what, the clock is read oftener for a while: for one edge in so
 * many seconds that it took, at most so many edges. If it comes again, it is read at each, as long as it comes again.
 */
const CLOSELY = 8
const EDGE_IN = 0.4e-6
const EDGES_WATCHED_CLOSELY = 1024

/** What blocks the thread for this many seconds is worth noting. */
export const HELD_SECONDS = 0.005

export class Edges {
  /** The time of the last reading, in seconds. */
  now = 0
  /** When the holder began. */
  since = 0
  /** For how many more edges the last reading serves. */
  left = 0
  readonly #words: Int32Array
  readonly #numbers: Float64Array
  readonly #clock: () => number
  readonly #most: number
  readonly #onHold: (from: number, to: number, holder: number, subject: number) => void
  #holder: number = HOLDER.task
  #edges = 0
  #stride = 1
  /** For how many more edges the clock is read at least once in so many. */
  #closely = 0
  #atMost: number
  #tick = 0

  /**
   * `exact`: read the clock at every edge, as a clock must be that jumps. `onHold` is called with what blocked the thread for long:
   * one of `HOLDER`, and the id of the task or request, or the number of the callback's name.
   */
  constructor({ words, numbers }: View, clock: () => number, exact: boolean, onHold: (from: number, to: number, holder: number, subject: number) => void) {
    this.#words = words
    this.#numbers = numbers
    this.#clock = clock
    this.#onHold = onHold
    words[WORD.holder] = this.#holder
    numbers[NUMBER.since] = this.since
    this.#most = exact ? 1 : MOST_EDGES
    this.#atMost = this.#most
  }

  /**
   * The time at an edge. During a stretch of very short steps it may be that of some 30 µs ago; but never across a look
   * of the observer, which comes every 20 ms, while there is news every 4: so a step that takes longer has its time to itself.
   */
  time(): number {
    if (--this.left > 0 && this.#words[WORD.tick] === this.#tick) return this.now
    return this.read()
  }

  /**
   * A step begins whose time is the one before, as one reading of the clock serves for both. False, and nothing done, where
   * it must be read.
   */
  next(task: number): boolean {
    if (this.left <= 2 || this.since !== this.now || this.#holder !== HOLDER.task || this.#words[WORD.tick] !== this.#tick) return false
    this.left -= 2
    this.#words[WORD.task] = task
    this.#words[WORD.step] = this.#edges = (this.#edges + 1) | 1
    return true
  }

  /** And ends, likewise. */
  done(): boolean {
    if (this.#words[WORD.tick] !== this.#tick) return false
    this.#words[WORD.step] = this.#edges = (this.#edges + 1) & ~1
    return true
  }

  /** The time by the clock. */
  read(): number {
    const edges = this.#stride - this.left
    const then = this.now
    const took = this.#take() - then
    this.#watch(edges, took)
    this.#stride = took > edges * SHORT ? 1 : Math.min(this.#stride * 2, this.#atMost, Math.floor((SPAN * edges) / took) || 1)
    this.left = this.#stride
    return this.now
  }

  /** The time where the thread comes back from its host: what has passed says nothing of any step. */
  begin(): number {
    this.left = this.#stride = 1
    return this.#take()
  }

  /** Read the clock oftener, or as seldom as before, after so many edges that took so long together. */
  #watch(edges: number, took: number): void {
    if (took > LONG && (edges > 1 || this.#atMost === 1)) {
      this.#atMost = this.#closely > 0 ? 1 : Math.min(CLOSELY, this.#most)
      this.#closely = Math.min(EDGES_WATCHED_CLOSELY, took / EDGE_IN)
    } else if (this.#closely > 0) {
      this.#closely -= edges
      if (this.#closely <= 0) this.#atMost = this.#most
    }
  }

  #take(): number {
    const now = this.#clock()
    this.#tick = this.#words[WORD.tick] as number
    this.now = now
    return now
  }

  /** A task's step begins now, or goes on after one within it. */
  task(id: number, since = this.now): void {
    this.#words[WORD.task] = id
    this.#hold(HOLDER.task, since)
  }

  callback(name: number, since: number): void {
    this.#words[WORD.subject] = name
    this.#words[WORD.task] = 0
    this.#hold(HOLDER.callback, since)
  }

  request(id: number, since: number): void {
    this.#words[WORD.subject] = id
    this.#words[WORD.task] = 0
    this.#hold(HOLDER.request, since)
  }

  /** Nothing that is known holds the thread any more. */
  free(): void {
    if (this.now - this.since >= HELD_SECONDS && (this.#edges & 1) === 1) {
      this.#numbers[NUMBER.held] = (this.#numbers[NUMBER.held] as number) + this.now - this.since
      const holder = this.#holder
      const subject = this.#words[holder === HOLDER.task ? WORD.task : WORD.subject] as number
      this.#onHold(this.since, this.now, holder, subject)
    }
    this.#words[WORD.step] = this.#edges = (this.#edges + 1) & ~1
  }

  #hold(holder: number, since: number): void {
    // What is the same as before is not written again: a switch takes so little that it would show.
    if (holder !== this.#holder) this.#words[WORD.holder] = this.#holder = holder
    if (since !== this.since) this.#numbers[NUMBER.since] = this.since = since
    this.#words[WORD.step] = this.#edges = (this.#edges + 1) | 1
  }
}
