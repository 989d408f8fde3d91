// The watched thread's sign of life: every 20 ms, if it can, it writes down the time. What stopped it from doing so, and
// is no step, callback or handler that is known, held it all the same.
import { performance, type RecordableHistogram } from 'node:perf_hooks'
import type { ThreadsState } from '../threads/state.ts'
import type { View } from './layout.ts'
import type { Writer } from './writer.ts'
import { IDLE_MS, idleTime } from './idletime.ts'
import { NUMBER, WORD } from './layout.ts'
import { BEAT_SECONDS } from './stall.ts'

/** How many beats lie between two looks at figures that change slowly. */
const SLOWLY = 5
/** Part of the threshold from which on unknown code is told of: the observer decides. */
const WORTH_TELLING = 0.8

/** Taken here, so that a program's fake timers are not asked. */
const { setInterval, clearInterval } = globalThis

export class Pulse {
  readonly #words: Int32Array
  readonly #numbers: Float64Array
  readonly #delays: RecordableHistogram
  readonly #threshold: number
  readonly #writer: () => Writer | null
  readonly #threads: () => ThreadsState
  #timer: NodeJS.Timeout | null = null
  #beats = 0
  #last = 0
  #held = 0
  /** Since when the host has had no idle moment, as far as something held the thread. */
  #heldFrom: number | null = null
  #idleThen = 0
  #unsettled = false

  constructor({ words, numbers }: View, delays: RecordableHistogram, threshold: number, writer: () => Writer | null, threads: () => ThreadsState) {
    this.#words = words
    this.#numbers = numbers
    this.#delays = delays
    this.#threshold = threshold
    this.#writer = writer
    this.#threads = threads
  }

  start(): void {
    if (this.#timer !== null) return
    this.#last = performance.now() / 1000
    this.#numbers[NUMBER.beat] = this.#last
    this.#timer = setInterval(this.#beat, BEAT_SECONDS * 1000).unref()
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  /** Something held the thread, from then on until now. */
  noteHold(from: number): void {
    const idle = idleTime()
    if (this.#heldFrom === null || idle - this.#idleThen > IDLE_MS) this.#heldFrom = from
    this.#idleThen = idle
    this.#unsettled = true
  }

  /** For how many seconds what is read now may have stood in line. */
  waited(): number {
    if (this.#heldFrom === null) return 0
    if (idleTime() - this.#idleThen > IDLE_MS) {
      this.#heldFrom = null
      return 0
    }
    return performance.now() / 1000 - this.#heldFrom
  }

  readonly #beat = (): void => {
    const now = performance.now() / 1000
    const gap = now - this.#last
    const writer = this.#writer()
    this.#delays.record(Math.max(1, Math.round((gap - BEAT_SECONDS) * 1e9)))
    const held = this.#numbers[NUMBER.held] as number
    const unknown = gap - BEAT_SECONDS - (held - this.#held)
    if (writer !== null && unknown >= this.#threshold * WORTH_TELLING) {
      const from = this.#last + BEAT_SECONDS / 2
      writer.heldUnknown(from, now)
      this.noteHold(from)
    }
    this.#held = held
    this.#last = now
    this.#numbers[NUMBER.beat] = now
    if (this.#unsettled && idleTime() - this.#idleThen > IDLE_MS) {
      this.#unsettled = false
      writer?.settled()
    }
    if (this.#beats++ % SLOWLY === 0) this.#lookSlowly(writer)
  }

  #lookSlowly(writer: Writer | null): void {
    const { idle, active } = performance.eventLoopUtilization()
    this.#numbers[NUMBER.idle] = idle
    this.#numbers[NUMBER.active] = active
    const { sensitive, pool, contexts } = this.#threads()
    const words = this.#words
    words[WORD.sensitiveQueued] = sensitive.queued + contexts.reduce((sum, lane) => sum + lane.queued, 0)
    words[WORD.sensitiveRunning] = sensitive.running + contexts.reduce((sum, lane) => sum + lane.running, 0)
    words[WORD.sensitiveOrphaned] = sensitive.orphaned + contexts.reduce((sum, lane) => sum + lane.orphaned, 0)
    words[WORD.poolQueued] = pool.queued
    words[WORD.poolRunning] = pool.running
    words[WORD.poolOrphaned] = pool.orphaned
    writer?.recover()
  }
}
