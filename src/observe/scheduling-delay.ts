// Whether the app's thread had a processor. Without one it is delayed although nothing blocks it: on a busy machine it waits
// for a processor, and a busy host takes away the whole virtual processor. Linux reports both, mostly afterwards. Where it
// does not, all time counts as the program's own.
import { readlinkSync } from 'node:fs'
import { afterName, ProcFile } from './proc-file.ts'

/** In seconds: how far back questions can go at least, the interval of the notes for that, and of reading what a host takes. */
const REMEMBERED = 4
const NOTE_EVERY = 0.01
const NOTE_STEAL_EVERY = 0.1
/** The kernel's figures may be one tick old. */
const TICK_SECONDS = 0.01
/** A step that ran for this long itself, and for this part of its time, is not excused by the machine. */
const GUILTY_SECONDS = 0.02
const GUILTY_PART = 0.02
/** The unit of `/proc/stat`. */
const STEAL_UNIT = 0.01

/** The calling thread in `/proc`; `null` without one. */
export function thisThread(): string | null {
  try {
    return `/proc/${readlinkSync('/proc/thread-self')}`
  } catch {
    return null
  }
}

export interface Note {
  /** Seconds on the loop's clock. */
  at: number
  /** Seconds so far that the thread ran, that it waited for a processor, and that a host took. */
  ran: number
  waited: number
  stolen: number
}

export class SchedulingDelay {
  readonly #schedule: ProcFile
  readonly #status: ProcFile
  readonly #machine: ProcFile
  /** Oldest first. */
  #notes: Note[] = []
  #stealNotedAt = -Infinity
  #processor = -1
  #steal = 0
  #stolen = 0

  /**
   * For a thread in `/proc`; may be used on any thread. With `null`, as in virtual time, no time is missing. `first`: what was
   * noted earlier.
   */
  constructor(thread: string | null, first: Note | null = null) {
    if (first !== null) this.#notes.push(first)
    thread ??= '/proc/none'
    this.#schedule = new ProcFile(`${thread}/schedstat`, 128)
    this.#status = new ProcFile(`${thread}/stat`, 1024)
    // The processors are at its beginning.
    this.#machine = new ProcFile('/proc/stat', 32 * 1024)
  }

  /** Notes the present state of a thread, for a thread that starts now and asks later. */
  static noteOf(thread: string | null, now: number): Note {
    const here = new SchedulingDelay(thread)
    const note = here.#present(now)
    here.close()
    return note
  }

  /**
   * Notes the present state for later questions. Code on the thread may have begun at `since`: the note before that is kept,
   * however long the code runs.
   */
  note(now: number, since = now): void {
    const last = this.#notes.at(-1)
    if (last !== undefined && now - last.at < NOTE_EVERY) return
    if (now - this.#stealNotedAt >= NOTE_STEAL_EVERY) {
      this.#stealNotedAt = now
      this.#noteSteal()
    }
    this.#notes.push(this.#present(now))
    const [first, second] = this.#notes as [Note, Note?]
    if (second === undefined) return
    if (second.at <= since && first.at < now - REMEMBERED) this.#notes.shift()
    else if (second.at < now - REMEMBERED) this.#notes.splice(1, 1)
  }

  /** How many seconds the thread had no processor from `from` until `now`, or a little longer. */
  since(from: number, now: number): number {
    return this.#lack(from, now).starved
  }

  /**
   * The same for a thread that is blocked since `from`. It may have no processor right now, which the kernel has not yet
   * reported: a runnable thread whose processor time does not grow has none.
   */
  present(from: number, now: number): number {
    const { stood, starved } = this.#lack(from, now)
    return Math.max(0, this.#runnable() ? stood - TICK_SECONDS : 0, starved)
  }

  /** For how many seconds the thread ran, and had no processor, since the last note before `from`; `null` if the kernel does not say. */
  spent(from: number, now: number): { ran: number; starved: number } | null {
    if (this.#schedule.read() === '') return null
    const { stood, starved } = this.#lack(from, now)
    return { ran: Math.max(0, now - from - stood), starved: Math.max(0, starved) }
  }

  /** Whether a step hardly ran because it had no processor. A step that ran for a while is responsible for all of its time. */
  excuses(from: number, to: number, starved: number): boolean {
    return to - from - starved < Math.max(GUILTY_SECONDS, GUILTY_PART * (to - from))
  }

  close(): void {
    for (const file of [this.#schedule, this.#status, this.#machine]) file.close()
  }

  /** Since the last note before `from`: how many seconds the thread did not run for any reason, and how many it had no processor. */
  #lack(from: number, now: number): { stood: number; starved: number } {
    this.#noteSteal()
    const then = this.#noted(from)
    const { ran, waited, stolen } = this.#present(now)
    // On a busy machine there may be few notes: in the time that it ran since the first one after `from` it did not wait.
    const own = ran - (this.#notes.find((note) => note.at >= from)?.ran ?? ran)
    const stood = Math.max(0, Math.min(now - then.at - (ran - then.ran), now - from - own))
    // The kernel adds a wait when it is over, so most of it may be from before.
    return { stood, starved: Math.min(waited - then.waited, stood) + stolen - then.stolen }
  }

  #present(at: number): Note {
    const [ran, waited] = this.#schedule.read().split(' ')
    return { at, ran: Number(ran ?? 0) / 1e9, waited: Number(waited ?? 0) / 1e9, stolen: this.#stolen }
  }

  /** The last note before this time. */
  #noted(at: number): Note {
    return this.#notes.findLast((note) => note.at <= at) ?? this.#notes[0] ?? this.#present(at)
  }

  #runnable(): boolean {
    return afterName(this.#status.read())[0] === 'R'
  }

  /** Adds what a host took from the thread's processor. */
  #noteSteal(): void {
    const processor = Number(afterName(this.#status.read())[36] ?? -1)
    const line = new RegExp(`^cpu${processor} (.*)$`, 'm').exec(this.#machine.read())
    const steal = Number(line?.[1]?.split(' ')[7] ?? 0) * STEAL_UNIT
    if (processor === this.#processor) this.#stolen += Math.max(0, steal - this.#steal)
    this.#processor = processor
    this.#steal = steal
  }
}
