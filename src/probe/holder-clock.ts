// Writes into the shared header what runs on the thread, and since when, at each edge of a step, a callback or a handler, with
// plain stores. It also keeps the time, and reads the clock as seldom as it can.
import { HOLDER, NUMBER, WORD, type View } from './layout.ts'

/** In seconds. While steps are shorter than SHORT, one clock reading serves several edges: as many as pass within SPAN. */
const SHORT = 2e-6
const SPAN = 32e-6
const MOST_EDGES = 128
/** If several edges took longer than this together, in seconds, something between them was long. */
const LONG = 64e-6
/**
 * If something among several edges was long, it is not known what. For a while the clock is then read every 8 edges: one
 * edge for each 0.4 µs that it took, at most 1024 edges. If it happens again, the clock is read at each edge.
 */
const CLOSELY = 8
const EDGE_IN = 0.4e-6
const EDGES_WATCHED_CLOSELY = 1024

/** A block of this many seconds is recorded. */
export const BLOCK_SECONDS = 0.005

export class HolderClock {
  /** The time of the last reading, in seconds. */
  now = 0
  /** When the running code began. */
  since = 0
  /** For how many more edges the last reading serves. */
  left = 0
  readonly #words: Int32Array
  readonly #numbers: Float64Array
  readonly #clock: () => number
  readonly #most: number
  readonly #onBlock: (from: number, to: number, holder: number, subject: number) => void
  #holder: number = HOLDER.task
  #edges = 0
  #stride = 1
  /** For how many more edges the clock is read more often. */
  #closely = 0
  #atMost: number
  #tick = 0

  /**
   * `exact`: read the clock at each edge, as a clock that jumps requires. `onBlock` is called with each long block: one of
   * `HOLDER`, and the id of the task or request, or the number of the callback's name.
   */
  constructor({ words, numbers }: View, clock: () => number, exact: boolean, onBlock: (from: number, to: number, holder: number, subject: number) => void) {
    this.#words = words
    this.#numbers = numbers
    this.#clock = clock
    this.#onBlock = onBlock
    words[WORD.holder] = this.#holder
    numbers[NUMBER.since] = this.since
    this.#most = exact ? 1 : MOST_EDGES
    this.#atMost = this.#most
  }

  /**
   * The time at an edge. Among very short steps it may be up to about 30 µs old. But a reading never serves across a poll of
   * the observer (every 20 ms, every 4 during events), so a long step has a reading of its own.
   */
  time(): number {
    if (--this.left > 0 && this.#words[WORD.tick] === this.#tick) return this.now
    return this.read()
  }

  /** Begins a step that shares the clock reading of the one before. Returns false and does nothing if the clock must be read. */
  next(task: number): boolean {
    if (this.left <= 2 || this.since !== this.now || this.#holder !== HOLDER.task || this.#words[WORD.tick] !== this.#tick) return false
    this.left -= 2
    this.#words[WORD.task] = task
    this.#words[WORD.step] = this.#edges = (this.#edges + 1) | 1
    return true
  }

  /** Ends such a step. Returns false if the clock must be read. */
  done(): boolean {
    if (this.#words[WORD.tick] !== this.#tick) return false
    this.#words[WORD.step] = this.#edges = (this.#edges + 1) & ~1
    return true
  }

  /** Reads the clock. */
  read(): number {
    const edges = this.#stride - this.left
    const then = this.now
    const took = this.#readClock() - then
    this.#watch(edges, took)
    this.#stride = took > edges * SHORT ? 1 : Math.min(this.#stride * 2, this.#atMost, Math.floor((SPAN * edges) / took) || 1)
    this.left = this.#stride
    return this.now
  }

  /** Reads the clock where the thread comes back from its host: the time before belongs to no step. */
  begin(): number {
    this.left = this.#stride = 1
    return this.#readClock()
  }

  /** Decides how often to read the clock, after `edges` edges that took `took` seconds. */
  #watch(edges: number, took: number): void {
    if (took > LONG && (edges > 1 || this.#atMost === 1)) {
      this.#atMost = this.#closely > 0 ? 1 : Math.min(CLOSELY, this.#most)
      this.#closely = Math.min(EDGES_WATCHED_CLOSELY, took / EDGE_IN)
    } else if (this.#closely > 0) {
      this.#closely -= edges
      if (this.#closely <= 0) this.#atMost = this.#most
    }
  }

  #readClock(): number {
    const now = this.#clock()
    this.#tick = this.#words[WORD.tick] as number
    this.now = now
    return now
  }

  /** A task's step begins now, or continues after one within it. */
  task(id: number, since = this.now): void {
    this.#words[WORD.task] = id
    this.#setHolder(HOLDER.task, since)
  }

  callback(name: number, since: number): void {
    this.#words[WORD.subject] = name
    this.#words[WORD.task] = 0
    this.#setHolder(HOLDER.callback, since)
  }

  request(id: number, since: number): void {
    this.#words[WORD.subject] = id
    this.#words[WORD.task] = 0
    this.#setHolder(HOLDER.request, since)
  }

  /** Nothing known runs on the thread any longer. */
  free(): void {
    if (this.now - this.since >= BLOCK_SECONDS && (this.#edges & 1) === 1) {
      this.#numbers[NUMBER.blocked] = (this.#numbers[NUMBER.blocked] as number) + this.now - this.since
      const holder = this.#holder
      const subject = this.#words[holder === HOLDER.task ? WORD.task : WORD.subject] as number
      this.#onBlock(this.since, this.now, holder, subject)
    }
    this.#words[WORD.step] = this.#edges = (this.#edges + 1) & ~1
  }

  #setHolder(holder: number, since: number): void {
    // An unchanged value is not written again: the stores would show in the cost of a switch.
    if (holder !== this.#holder) this.#words[WORD.holder] = this.#holder = holder
    if (since !== this.since) this.#numbers[NUMBER.since] = this.since = since
    this.#words[WORD.step] = this.#edges = (this.#edges + 1) | 1
  }
}
