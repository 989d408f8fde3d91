// What the kernel says about the watched thread during a stall: for how long it ran, slept in a call into the system, and had
// no processor. Linux only; elsewhere nothing is known.
import type { StallFigures } from '../events/schema.ts'
import { afterName, ProcFile } from './proc-file.ts'
import type { SchedulingDelay } from './scheduling-delay.ts'
import { callName } from './system-calls.ts'

/** A runnable thread that has run for less than this since the last look has no processor, in seconds. */
const HARDLY_RAN = 0.001
/** A wait that goes on is judged over at least this many seconds: the kernel's figures may be one tick old. */
const TICKS = 0.02
/** `stat` counts processor time in this unit, in seconds. */
const STAT_UNIT = 0.01
/** A thread that spends this part of its processor time in the kernel is inside a call into the system. */
const KERNEL_PART = 0.8
/** The most different calls that are counted. */
const MOST_CALLS = 32

interface Look {
  at: number
  /** The kernel's totals, in seconds: it adds a wait for a processor when the wait is over. */
  ran: number
  waited: number
}

interface Call {
  call: string
  channel: string
  seconds: number
}

export class ThreadWatch {
  readonly #schedule: ProcFile
  readonly #status: ProcFile
  readonly #call: ProcFile
  readonly #channel: ProcFile
  #last: Look | null = null
  /** The thread's state at the last look, as in `stat`. */
  #state = ''
  #ran = 0
  #starved = 0
  /** The wait for a processor that goes on, and that the kernel has not reported yet. */
  #waits = 0
  /** In the kernel, by `stat`, at the begin and now. */
  #kernelThen = 0
  #kernel = 0
  /** Seconds of sleep in each call. */
  readonly #calls = new Map<string, Call>()

  /** For a thread in `/proc`; with `null` nothing is known. */
  constructor(thread: string | null) {
    thread ??= '/proc/none'
    this.#schedule = new ProcFile(`${thread}/schedstat`, 128)
    this.#status = new ProcFile(`${thread}/stat`, 1024)
    this.#call = new ProcFile(`${thread}/syscall`, 256)
    this.#channel = new ProcFile(`${thread}/wchan`, 128)
  }

  /** A stall that began at `from` has been detected. `lasts`: the thread is still blocked, so that its present state is the stall's. */
  begin(from: number, now: number, before: SchedulingDelay, lasts: boolean): void {
    this.#calls.clear()
    this.#last = this.#read(now)
    this.#kernelThen = this.#kernel
    const { ran, starved } = before.spent(from, now) ?? { ran: 0, starved: 0 }
    this.#ran = ran
    this.#starved = starved
    this.#waits = lasts ? Math.max(0, before.present(from, now) - starved) : 0
    if (lasts) this.#noteCall(now - from - ran - starved)
  }

  /** Counts the time since the last look. `lasts`: as for `begin`. */
  look(now: number, lasts = true): void {
    const last = this.#last
    const next = this.#read(now)
    if (last === null || next === null) return
    const ran = next.ran - last.ran
    const waited = next.waited - last.waited
    const seconds = now - last.at
    const waits = this.#state === 'R' && ran < HARDLY_RAN && waited === 0
    // Whether it has a processor shows later.
    if (waits && lasts && seconds < TICKS) return
    this.#last = next
    this.#ran += ran
    this.#starved += waited
    if (waits) this.#waits += seconds - ran
    else this.#waits = 0
    if (lasts) this.#noteCall(seconds - ran - waited)
  }

  /** For a stall of this length, in which the process was stopped for `stopped` seconds. What the thread did after its end is cut off. */
  figures(seconds: number, stopped: number): StallFigures {
    if (this.#last === null) return stopped > 0 ? { stopped } : {}
    const ran = Math.min(seconds - stopped, this.#ran)
    // The kernel adds a wait when it is over, so part of it may be from before the stall.
    const starved = Math.min(seconds - stopped - ran, this.#starved + this.#waits)
    const slept = seconds - stopped - ran - starved
    const [first, ...others] = this.#calls.values()
    const most = others.reduce<Call | undefined>((most, one) => (most === undefined || one.seconds > most.seconds ? one : most), first)
    return {
      ran, slept, starved, ...(stopped > 0 ? { stopped } : {}),
      ...(most === undefined || most.call === '' ? {} : { call: most.call }), ...(most === undefined || most.channel === '' ? {} : { channel: most.channel }),
    }
  }

  /** Whether the thread spends its processor time in the kernel. */
  get inKernel(): boolean {
    const kernel = this.#kernel - this.#kernelThen
    return kernel >= 3 * STAT_UNIT && kernel >= KERNEL_PART * this.#ran
  }

  close(): void {
    for (const file of [this.#schedule, this.#status, this.#call, this.#channel]) file.close()
  }

  #noteCall(seconds: number): void {
    if (seconds <= 0 || (this.#state !== 'S' && this.#state !== 'D')) return
    const call = callName(this.#call.read())
    const channel = this.#channel.read().trim().replace(/^0$/, '')
    const key = `${call} ${channel}`
    const known = this.#calls.get(key)
    if (known !== undefined) known.seconds += seconds
    else if (this.#calls.size < MOST_CALLS) this.#calls.set(key, { call, channel, seconds })
  }

  #read(at: number): Look | null {
    const [ran, waited] = this.#schedule.read().split(' ')
    const fields = afterName(this.#status.read())
    this.#state = fields[0] ?? ''
    this.#kernel = Number(fields[12] ?? 0) * STAT_UNIT
    return waited === undefined ? null : { at, ran: Number(ran) / 1e9, waited: Number(waited) / 1e9 }
  }
}
