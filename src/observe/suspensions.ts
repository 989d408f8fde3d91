// Times in which the whole process stood still: a signal has stopped it, a container was paused, the machine slept. The
// observer's own thread then neither ran nor waited for a processor, and the watched thread gave no heartbeat.
import { BEAT_SECONDS } from '../probe/layout.ts'
import { ProcFile } from './proc-file.ts'

/** A shorter time is not noticed, in seconds. */
const LEAST_SECONDS = 0.03
/** The most times that are remembered. */
const MOST_GAPS = 32
/** A watched thread that goes on gives a heartbeat every 20 ms; after a stop it gives one at once. */
const MOST_BEATS = 1

export interface Gap {
  from: number
  to: number
}

export class Suspensions {
  readonly #schedule: ProcFile
  readonly #gaps: Gap[] = []
  #last: { at: number; spent: number; beats: number; beat: number } | null = null
  /** When this thread ran last. */
  #ranAt = 0

  /** To be used on one thread. `own`: that thread in /proc. */
  constructor(own = '/proc/thread-self') {
    this.#schedule = new ProcFile(`${own}/schedstat`, 128)
  }

  /** This thread runs at `now`; it was to run at `expected`. The last of the thread's `beats` was at `beat`. Returns the gap if the process has stood still. */
  note(now: number, expected: number, beats: number, beat: number): Gap | null {
    const last = this.#last
    const late = now - expected
    const ranAt = this.#ranAt
    this.#ranAt = now
    // Reading the file each time would cost more than it says.
    if (last !== null && late < LEAST_SECONDS && now - last.at < LEAST_SECONDS / 3) return null
    const [ran, waited] = this.#schedule.read().split(' ')
    if (waited === undefined) return null
    const spent = (Number(ran) + Number(waited)) / 1e9
    this.#last = { at: now, spent, beats, beat }
    if (last === null || late < LEAST_SECONDS || beats - last.beats > MOST_BEATS || spent - last.spent > late / 2) return null
    // It began after each of the threads ran last, and before each would have run next.
    const before = last.beat
    const goesOn = before > ranAt - BEAT_SECONDS
    const from = ((goesOn ? Math.max(ranAt, before) : ranAt) + (goesOn ? Math.min(expected, before + BEAT_SECONDS) : expected)) / 2
    const gap = { from, to: now }
    this.#gaps.push(gap)
    if (this.#gaps.length > MOST_GAPS) this.#gaps.shift()
    return gap
  }

  /** For how many seconds the process stood still between two times. */
  within(from: number, to: number): number {
    return this.#gaps.reduce((sum, gap) => sum + Math.max(0, Math.min(to, gap.to) - Math.max(from, gap.from)), 0)
  }

  close(): void {
    this.#schedule.close()
  }
}
