// A busy stretch: the loop runs only steps that end in `sleep(0)`, millions each second. Beyond some thousands they have no
// records of their own, but are counted for each task.
import { IDLE_MS } from './idle-time.ts'

/** This many steps in a row that end in `sleep(0)` are recorded after the loop was idle; later ones are counted. */
const RECORDED = 4096
/** After an interruption, this many are recorded again. */
const RECORDED_AGAIN = 64
/** A stretch is recorded after this many seconds, and the next begins. */
const MOST_SECONDS = 0.05
/** A task is counted in one of 8 slots, starting at the one for its id. If all are taken, it counts only towards the total. */
const PROBES = 8
const PLACES = 256
/** The most tasks in the record: those with the most steps. */
const MOST_TASKS = 32

export class BusyStretch {
  /** Steps are being counted. */
  open = false
  /** When the stretch began, in seconds on the loop's clock. */
  since = 0
  /** The steps of all tasks. */
  steps = 0
  readonly #tasks = new Int32Array(PLACES)
  readonly #counts = new Int32Array(PLACES)
  #recorded = 0
  /** The host's idle time when the loop was last idle, in ms. */
  #idle = 0

  /** A recorded step ended in `sleep(0)`. */
  recorded(): void {
    this.#recorded++
  }

  /** A step begins at `t`: from here on steps are counted, if enough were recorded. */
  begin(t: number): void {
    if (this.open || this.#recorded < RECORDED) return
    this.open = true
    this.since = t
  }

  /** Counts a step of this task. */
  count(task: number): void {
    const tasks = this.#tasks
    this.steps++
    for (let probe = 0; probe < PROBES; probe++) {
      const at = (task + probe) & (PLACES - 1)
      const counted = tasks[at]
      if (counted !== task) {
        if (counted !== 0) continue
        tasks[at] = task
      }
      this.#counts[at] = (this.#counts[at] as number) + 1
      return
    }
  }

  /** Whether the stretch is long enough to be recorded. */
  isLong(t: number): boolean {
    return t - this.since >= MOST_SECONDS
  }

  /** Something else happened than a step that ends in `sleep(0)`. */
  interrupt(): void {
    if (this.#recorded > RECORDED - RECORDED_AGAIN) this.#recorded = RECORDED - RECORDED_AGAIN
  }

  /** The thread comes back from its host, which has been idle for this many ms since it began. */
  rested(idle: number): void {
    if (idle - this.#idle <= IDLE_MS) return
    this.#idle = idle
    this.#recorded = 0
  }

  /** Ends the stretch; returns the tasks with the most steps. */
  end(): { task: number; steps: number }[] {
    const counted: { task: number; steps: number }[] = []
    for (let at = 0; at < PLACES; at++) if (this.#tasks[at] !== 0) counted.push({ task: this.#tasks[at] as number, steps: this.#counts[at] as number })
    this.#tasks.fill(0)
    this.#counts.fill(0)
    this.steps = 0
    this.open = false
    return counted.length <= MOST_TASKS ? counted : counted.sort((a, b) => b.steps - a.steps).slice(0, MOST_TASKS)
  }
}
