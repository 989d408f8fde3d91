// Whether the app's thread had a processor at all: without one it does not come back either, and yet nothing blocks it. A
// busy machine lets it stand in line, a busy host takes the whole virtual processor away. Linux tells of both, mostly
// afterwards; where nobody tells, every second is taken to have been the program's own.
import { closeSync, openSync, readlinkSync, readSync } from 'node:fs'

/** How far back the observer can ask at least, in seconds, how often it takes note for that, and of what a host takes. */
const REMEMBERED = 4
const NOTE_EVERY = 0.01
const NOTE_STEAL_EVERY = 0.1
/** The kernel's figures are up to one of its ticks behind. */
const TICK_SECONDS = 0.01
/** A step that has itself run for so long is no victim of the machine. */
const GUILTY_SECONDS = 0.02
/** `/proc/stat` counts in these. */
const STEAL_UNIT = 0.01

/** The calling thread in `/proc`; `null` where there is none. */
export function thisThread(): string | null {
  try {
    return `/proc/${readlinkSync('/proc/thread-self')}`
  } catch {
    return null
  }
}

/** A file of /proc that is read again and again; '' where there is none. */
class ProcFile {
  readonly #path: string
  readonly #buffer: Buffer
  #file: number | null | undefined

  constructor(path: string, bytes: number) {
    this.#path = path
    this.#buffer = Buffer.alloc(bytes)
  }

  read(): string {
    if (this.#file === null) return ''
    try {
      this.#file ??= openSync(this.#path, 'r')
      return this.#buffer.toString('latin1', 0, readSync(this.#file, this.#buffer, 0, this.#buffer.length, 0))
    } catch {
      this.close()
      return ''
    }
  }

  close(): void {
    const file = this.#file
    this.#file = null
    if (typeof file === 'number') closeSync(file)
  }
}

interface Note {
  /** Seconds on the clock of the loop. */
  at: number
  /** Seconds that the thread had run until then, that it had stood in line, and that a host had taken. */
  ran: number
  waited: number
  stolen: number
}

export class Starvation {
  readonly #schedule: ProcFile
  readonly #status: ProcFile
  readonly #machine: ProcFile
  /** Oldest first. */
  #notes: Note[] = []
  #stealNotedAt = -Infinity
  #processor = -1
  #steal = 0
  #stolen = 0

  /** Of a thread in `/proc`, from whichever thread; of none, as where time is made up, nothing is missing. */
  constructor(thread: string | null) {
    thread ??= '/proc/none'
    this.#schedule = new ProcFile(`${thread}/schedstat`, 128)
    this.#status = new ProcFile(`${thread}/stat`, 1024)
    // The processors come first in it.
    this.#machine = new ProcFile('/proc/stat', 32 * 1024)
  }

  /**
   * Take note of the present, so that it can be asked about later. What holds the thread may have begun at `held`: the note before
   * that stays, however long it takes.
   */
  note(now: number, held = now): void {
    const last = this.#notes.at(-1)
    if (last !== undefined && now - last.at < NOTE_EVERY) return
    if (now - this.#stealNotedAt >= NOTE_STEAL_EVERY) {
      this.#stealNotedAt = now
      this.#noteSteal()
    }
    this.#notes.push(this.#present(now))
    const [first, second] = this.#notes as [Note, Note?]
    if (second === undefined) return
    if (second.at <= held && first.at < now - REMEMBERED) this.#notes.shift()
    else if (second.at < now - REMEMBERED) this.#notes.splice(1, 1)
  }

  /** For how many of the seconds from one time until now, or a little more, the thread had no processor. */
  since(from: number, now: number): number {
    return this.#lack(from, now).starved
  }

  /**
   * The same of a thread that has not come back since `from`. It may have no processor right now, of which the kernel has
   * then not told yet: a thread that could run, and whose time does not grow, has none.
   */
  present(from: number, now: number): number {
    const { stood, starved } = this.#lack(from, now)
    return Math.max(0, this.#runnable() ? stood - TICK_SECONDS : 0, starved)
  }

  /** Whether a step hardly ran that had no processor for so long: who has run for a while answers for all of its time. */
  excuses(from: number, to: number, starved: number): boolean {
    return to - from - starved < GUILTY_SECONDS
  }

  close(): void {
    for (const file of [this.#schedule, this.#status, this.#machine]) file.close()
  }

  /** Since the last note before a time: how many seconds the thread did not run, for whatever reason, and had no processor. */
  #lack(from: number, now: number): { stood: number; starved: number } {
    this.#noteSteal()
    const then = this.#noted(from)
    const { ran, waited, stolen } = this.#present(now)
    const stood = Math.max(0, now - then.at - (ran - then.ran))
    // The kernel adds how long a thread stood in line when that is over: most of it may have been before.
    return { stood, starved: Math.min(waited - then.waited, stood) + stolen - then.stolen }
  }

  #present(at: number): Note {
    const [ran, waited] = this.#schedule.read().split(' ')
    return { at, ran: Number(ran ?? 0) / 1e9, waited: Number(waited ?? 0) / 1e9, stolen: this.#stolen }
  }

  /** What was noted last before a time. */
  #noted(at: number): Note {
    return this.#notes.findLast((note) => note.at <= at) ?? this.#notes[0] ?? this.#present(at)
  }

  #runnable(): boolean {
    return afterName(this.#status.read())[0] === 'R'
  }

  /** Add what a host took from the processor that the thread is on. */
  #noteSteal(): void {
    const processor = Number(afterName(this.#status.read())[36] ?? -1)
    const line = new RegExp(`^cpu${processor} (.*)$`, 'm').exec(this.#machine.read())
    const steal = Number(line?.[1]?.split(' ')[7] ?? 0) * STEAL_UNIT
    if (processor === this.#processor) this.#stolen += Math.max(0, steal - this.#steal)
    this.#processor = processor
    this.#steal = steal
  }
}

/** The fields of a thread's `stat` behind its name, which may have anything in it: the first is its state. */
function afterName(status: string): string[] {
  return status.slice(status.lastIndexOf(')') + 2).split(' ')
}
