// What the kernel says about the watched thread during a stall: for how long it ran, slept in a call into the system, and had
// no processor. Linux only; elsewhere nothing is known.
import type { StallFigures } from '../events/schema.ts'
import { afterName, ProcFile } from './proc-file.ts'
import type { SchedulingDelay } from './scheduling-delay.ts'
import { callName } from './system-calls.ts'

/** A runnable thread that has run for less than this since the last look has no processor, in seconds. */
const HARDLY_RAN = 0.001
/** A wait for a processor is judged over at least this many seconds: the kernel's figures may be one tick old. */
const TICKS = 0.02
/** `stat` counts processor time in this unit, in seconds. */
const STAT_UNIT = 0.01
/** A thread that spends this part of its processor time in the kernel is inside a call into the system. */
const KERNEL_PART = 0.8
/** The most different calls that are counted. */
const MOST_CALLS = 32

interface Look {
  at: number
  ran: number
  waited: number
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
  #slept = 0
  /** Seconds counted as `starved` that the kernel has not reported yet. */
  #pending = 0
  /** In the kernel, by `stat`, at the begin and now. */
  #kernelThen = 0
  #kernel = 0
  /** Seconds of sleep in each call. */
  readonly #calls = new Map<string, { call: string; channel: string; seconds: number }>()

  /** For a thread in `/proc`; with `null` nothing is known. */
  constructor(thread: string | null) {
    thread ??= '/proc/none'
    this.#schedule = new ProcFile(`${thread}/schedstat`, 128)
    this.#status = new ProcFile(`${thread}/stat`, 1024)
    this.#call = new ProcFile(`${thread}/syscall`, 256)
    this.#channel = new ProcFile(`${thread}/wchan`, 128)
  }

  /** A stall that began at `from` has been detected. `lasts`: the thread is still blocked, so that its present state is the stall's. */
  begin(from: number, now: number, before: SchedulingDelay, stopped: number, lasts: boolean): void {
    this.#calls.clear()
    this.#pending = this.#starved = this.#slept = this.#ran = 0
    this.#last = this.#read(now)
    this.#kernelThen = this.#kernel
    const spent = before.spent(from, now)
    if (spent === null) return
    const seconds = Math.max(0, now - from - stopped)
    this.#ran = Math.min(seconds, spent.ran)
    this.#starved = Math.min(seconds - this.#ran, lasts ? before.present(from, now) : spent.starved)
    this.#pending = Math.max(0, this.#starved - spent.starved)
    this.#sleeps(seconds - this.#ran - this.#starved, lasts)
  }

  /** Counts the time since the last look. The process stood still for `stopped` seconds of it. `lasts`: as for `begin`. */
  look(now: number, stopped: number, lasts = true): void {
    const last = this.#last
    const next = this.#read(now)
    if (last === null || next === null) return
    const seconds = Math.max(0, now - last.at - stopped)
    const ran = Math.min(seconds, next.ran - last.ran)
    const idle = seconds - ran
    const waited = next.waited - last.waited
    const hasNone = this.#state === 'R' && ran < HARDLY_RAN && waited === 0
    // Whether it has a processor shows later.
    if (hasNone && lasts && seconds < TICKS) return
    this.#last = next
    this.#ran += ran
    if (hasNone && seconds >= TICKS) {
      this.#starved += idle
      this.#pending += idle
      return
    }
    const starved = Math.max(0, Math.min(idle, waited - this.#pending))
    if (waited > 0) this.#pending = Math.max(0, this.#pending - waited)
    this.#starved += starved
    this.#sleeps(idle - starved, lasts)
  }

  /** For a stall of this length, of which the process stood still for `stopped` seconds. */
  figures(seconds: number, stopped: number): StallFigures {
    if (this.#last === null) return stopped > 0 ? { stopped } : {}
    // The last look may have been after the end: what the thread did last is not the stall's.
    const slept = Math.max(0, Math.min(this.#slept, seconds - stopped - this.#starved - this.#ran))
    const most = [...this.#calls.values()].reduce<{ call: string; channel: string; seconds: number } | null>((most, one) => (most === null || one.seconds > most.seconds ? one : most), null)
    return {
      ran: Math.min(seconds, this.#ran), slept, starved: Math.min(seconds, this.#starved), ...(stopped > 0 ? { stopped } : {}),
      ...(most === null || slept === 0 ? {} : { ...(most.call === '' ? {} : { call: most.call }), ...(most.channel === '' ? {} : { channel: most.channel }) }),
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

  #sleeps(seconds: number, lasts: boolean): void {
    if (seconds <= 0) return
    this.#slept += seconds
    if (!lasts || (this.#state !== 'S' && this.#state !== 'D')) return
    const text = this.#call.read()
    const call = callName(text)
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
