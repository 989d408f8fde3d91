// Times in which the whole process was stopped: by a signal, or because its container or the machine was paused. The
// observer's own thread and the watched one then neither ran nor waited for a processor, and there was no heartbeat.
import { BEAT_SECONDS } from '../probe/layout.ts'
import { ProcFile } from './proc-file.ts'

/** A shorter time is not noticed, in seconds. */
const LEAST_SECONDS = 0.03
/** The most times that are remembered. */
const MOST_GAPS = 32
/** A watched thread that was not stopped gives at least this part of its heartbeats; one that was, one before and one after. */
const BEATS_PART = 0.5
const LEAST_BEATS = 2

export interface Gap {
  from: number
  to: number
}

export class Suspensions {
  readonly #threads: readonly ProcFile[]
  readonly #gaps: Gap[] = []
  #last: { at: number; spent: number[]; beats: number; beat: number } | null = null
  /** When this thread ran last. */
  #ranAt = 0

  /** To be used on one thread. The watched thread and that one, in /proc; `null` if the kernel says nothing. */
  constructor(watched: string | null, own = '/proc/thread-self') {
    this.#threads = watched === null ? [] : [own, watched].map((thread) => new ProcFile(`${thread}/schedstat`, 128))
  }

  /** This thread runs at `now`; it was to run at `expected`. The last of the thread's `beats` was at `beat`. Returns the gap if the process was stopped. */
  note(now: number, expected: number, beats: number, beat: number): Gap | null {
    const last = this.#last
    const late = now - expected
    const ranAt = this.#ranAt
    this.#ranAt = now
    // Reading the file each time would cost more than it says.
    if (last !== null && late < LEAST_SECONDS && now - last.at < LEAST_SECONDS / 3) return null
    const spent = this.#threads.map((thread) => thread.read().split(' ').slice(0, 2).reduce((sum, time) => sum + Number(time) / 1e9, 0))
    if (spent.length === 0 || !spent.every((seconds) => seconds > 0)) return null
    this.#last = { at: now, spent, beats, beat }
    if (last === null || late < LEAST_SECONDS || beats - last.beats > Math.max(LEAST_BEATS, (late / BEAT_SECONDS) * BEATS_PART)) return null
    // This thread may also wait for the other one, which has no processor.
    if (spent.some((seconds, thread) => seconds - (last.spent[thread] ?? 0) > late / 2)) return null
    // It began after each of the threads ran last, and before each would have run next.
    const before = last.beat
    const goesOn = before > ranAt - BEAT_SECONDS
    const from = ((goesOn ? Math.max(ranAt, before) : ranAt) + (goesOn ? Math.min(expected, before + BEAT_SECONDS) : expected)) / 2
    const gap = { from, to: now }
    this.#gaps.push(gap)
    if (this.#gaps.length > MOST_GAPS) this.#gaps.shift()
    return gap
  }

  /** For how many seconds the process was stopped between two times. */
  within(from: number, to: number): number {
    return this.#gaps.reduce((sum, gap) => sum + Math.max(0, Math.min(to, gap.to) - Math.max(from, gap.from)), 0)
  }

  close(): void {
    for (const thread of this.#threads) thread.close()
  }
}
