// A stretch in which the loop does nothing but go round: each step ends in `sleep(0)`, millions of them a second. Beyond some
// thousands they are not told one by one any more, but counted, for each task.
import { IDLE_MS } from './idle-time.ts'

/** So many steps that end in `sleep(0)` are told, from when the loop had rested; those that follow are counted. */
const TOLD = 4096
/** Where anything else happens in between, so many after it are told again. */
const TOLD_AGAIN = 64
/** A stretch is told of after so many seconds, and another begins. */
const MOST_SECONDS = 0.05
/** A task is counted in one of so many places from the one on that its id gives it; where all of these are taken, with all others. */
const PROBES = 8
const PLACES = 256
/** So many tasks are told of, those with the most steps. */
const MOST_TASKS = 32

export class BusyStretch {
  /** Steps are being counted. */
  open = false
  /** When the stretch began, in seconds on the loop's clock. */
  since = 0
  /** All that were counted. */
  steps = 0
  readonly #tasks = new Int32Array(PLACES)
  readonly #counts = new Int32Array(PLACES)
  #told = 0
  /** For how many milliseconds the host had been idle when the loop had last rested. */
  #idle = 0

  /** A step that was told ended in `sleep(0)` at `t`; the next one may be counted. */
  told(t: number): void {
    if (++this.#told < TOLD) return
    this.open = true
    this.since = t
  }

  /** A step was one of the stretch. */
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

  /** Whether it has been long enough. */
  isLong(t: number): boolean {
    return t - this.since >= MOST_SECONDS
  }

  /** Something else happened than a step that ends in `sleep(0)`. */
  interrupt(): void {
    if (this.#told > TOLD - TOLD_AGAIN) this.#told = TOLD - TOLD_AGAIN
  }

  /** The thread comes back from its host, which has been idle for so many milliseconds in all. */
  rested(idle: number): void {
    if (idle - this.#idle <= IDLE_MS) return
    this.#idle = idle
    this.#told = 0
  }

  /** End it; gives the tasks that had the most steps. */
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
