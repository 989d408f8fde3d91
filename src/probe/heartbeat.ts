// The heartbeat of the watched thread: every 20 ms, if it can, it writes the time. If a beat is late and no known step,
// callback or handler explains it, unknown code blocked the thread: from when to when is written into the shared header.
import { performance, PerformanceObserver, type RecordableHistogram } from 'node:perf_hooks'
import type { ThreadsState } from '../threads/state.ts'
import type { View } from './layout.ts'
import type { Probe } from './probe.ts'
import { IDLE_MS, idleTime } from './idle-time.ts'
import { BEAT_SECONDS, MOST_BLOCKS, NUMBER, WORD } from './layout.ts'

/** Figures that change slowly are read every this many beats. */
const SLOWLY = 5
/** Unknown code is written down from this part of the threshold on; the observer decides. */
const WORTH_REPORTING = 0.8
/** A beat is late after this many seconds. Without the limit, a loop that never idles would seem blocked all the time between two beats. */
const LATE_SECONDS = 1.5 * BEAT_SECONDS

/** Kept here, because a program may replace them with fake timers. */
const { setInterval, clearInterval } = globalThis

export class Heartbeat {
  readonly #words: Int32Array
  readonly #numbers: Float64Array
  readonly #delays: RecordableHistogram
  readonly #threshold: number
  readonly #probe: () => Probe | null
  readonly #threads: () => ThreadsState
  #timer: NodeJS.Timeout | null = null
  #beats = 0
  #last = 0
  #blocked = 0
  /** The host's idle time at the last beat, in seconds. */
  #idle = 0
  /** When the block began since which the host has had no idle moment. */
  #blockedFrom: number | null = null
  #idleThen = 0
  #unsettled = false
  /** Node reports garbage collections when the loop continues. It costs a few µs for each. */
  readonly #collections = new PerformanceObserver((list) => {
    let ms = 0
    for (const { duration } of list.getEntries()) ms += duration
    this.#numbers[NUMBER.collected] = (this.#numbers[NUMBER.collected] as number) + ms / 1000
  })

  constructor({ words, numbers }: View, delays: RecordableHistogram, threshold: number, probe: () => Probe | null, threads: () => ThreadsState) {
    this.#words = words
    this.#numbers = numbers
    this.#delays = delays
    this.#threshold = threshold
    this.#probe = probe
    this.#threads = threads
  }

  start(): void {
    if (this.#timer !== null) return
    this.#last = performance.now() / 1000
    this.#idle = idleTime() / 1000
    this.#numbers[NUMBER.beat] = this.#last
    this.#collections.observe({ entryTypes: ['gc'] })
    this.#timer = setInterval(this.#beat, BEAT_SECONDS * 1000).unref()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#collections.disconnect()
    this.#timer = null
  }

  /** A last beat, when the process exits. */
  finish(): void {
    if (this.#timer !== null) this.#beat()
  }

  /** Something blocked the thread from then until now. */
  noteBlock(from: number): void {
    const idle = idleTime()
    if (this.#blockedFrom === null || idle - this.#idleThen > IDLE_MS) this.#blockedFrom = from
    this.#idleThen = idle
    this.#unsettled = true
  }

  /** For how many seconds something that is read now may have been delayed. */
  waited(): number {
    if (this.#blockedFrom === null) return 0
    if (idleTime() - this.#idleThen > IDLE_MS) {
      this.#blockedFrom = null
      return 0
    }
    return performance.now() / 1000 - this.#blockedFrom
  }

  readonly #beat = (): void => {
    const now = performance.now() / 1000
    const gap = now - this.#last
    const probe = this.#probe()
    this.#delays.record(Math.max(1, Math.round((gap - BEAT_SECONDS) * 1e9)))
    const blocked = this.#numbers[NUMBER.blocked] as number
    const idle = idleTime() / 1000
    // The host was idle first and blocked later, so the block began after the idle time.
    const from = this.#last + (idle - this.#idle) + (blocked - this.#blocked)
    if (gap >= LATE_SECONDS && now - from >= this.#threshold * WORTH_REPORTING) {
      this.#writeBlock(from, now)
      this.noteBlock(from)
    }
    this.#blocked = blocked
    this.#idle = idle
    this.#last = now
    this.#numbers[NUMBER.beat] = now
    this.#words[WORD.beats] = ((this.#words[WORD.beats] as number) + 1) | 0
    if (this.#unsettled && idleTime() - this.#idleThen > IDLE_MS) {
      this.#unsettled = false
      probe?.settled()
    }
    if (this.#beats++ % SLOWLY === 0) this.#pollSlowly(probe)
  }

  #writeBlock(from: number, to: number): void {
    const count = this.#words[WORD.blocks] as number
    const at = NUMBER.blocks + 2 * (count % MOST_BLOCKS)
    this.#numbers[at] = from
    this.#numbers[at + 1] = to
    Atomics.store(this.#words, WORD.blocks, count + 1)
  }

  #pollSlowly(probe: Probe | null): void {
    const { idle, active } = performance.eventLoopUtilization()
    this.#numbers[NUMBER.idle] = idle
    this.#numbers[NUMBER.active] = active
    this.countThreads()
    probe?.recover()
  }

  /** Writes how many calls on threads wait and run. */
  countThreads(): void {
    const { sensitive, pool, contexts } = this.#threads()
    const words = this.#words
    words[WORD.sensitiveQueued] = sensitive.queued + contexts.reduce((sum, queue) => sum + queue.queued, 0)
    words[WORD.sensitiveRunning] = sensitive.running + contexts.reduce((sum, queue) => sum + queue.running, 0)
    words[WORD.sensitiveOrphaned] = sensitive.orphaned + contexts.reduce((sum, queue) => sum + queue.orphaned, 0)
    words[WORD.poolQueued] = pool.queued
    words[WORD.poolRunning] = pool.running
    words[WORD.poolOrphaned] = pool.orphaned
  }
}
