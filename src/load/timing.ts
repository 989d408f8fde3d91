// Reads the Server-Timing of a loopscope server: where a request's time went, and what blocked the loop while it was ready.

/** In ms. */
export interface Timing {
  run: number
  ready: number
  wait: number
  thread: number
  /** What blocked the loop, if known. */
  culprit: string | null
}

const PARTS = ['run', 'ready', 'wait', 'thread'] as const
const ENTRY = /(?:^|,)\s*([\w-]+)((?:;\s*(?:dur=[\d.]+|desc="[^"]*"))*)/g

/** `null` if the header is not from a loopscope server. */
export function parseTiming(header: string): Timing | null {
  const found: Partial<Record<string, number>> = {}
  let culprit: string | null = null
  for (const [, name, rest] of header.matchAll(ENTRY)) {
    const duration = /dur=([\d.]+)/.exec(rest!)
    if (duration !== null) found[name!] = Number(duration[1])
    const description = name === 'ready' ? /desc="([^"]*)"/.exec(rest!) : null
    if (description !== null) culprit = description[1]!.replace(/^at most, behind /, '')
  }
  if (PARTS.some((part) => !Number.isFinite(found[part]))) return null
  return { run: found['run']!, ready: found['ready']!, wait: found['wait']!, thread: found['thread']!, culprit }
}

/** Sums and extremes of many. */
export interface TimingTotals {
  count: number
  /** Averages for a request, in ms. */
  run: number
  ready: number
  wait: number
  thread: number
  /** The longest of each, in ms. */
  most: { run: number; ready: number; wait: number; thread: number }
}

export class Timings {
  #count = 0
  readonly #sum = { run: 0, ready: 0, wait: 0, thread: 0 }
  readonly #most = { run: 0, ready: 0, wait: 0, thread: 0 }

  add(timing: Timing): void {
    this.#count++
    for (const part of PARTS) {
      this.#sum[part] += timing[part]
      if (timing[part] > this.#most[part]) this.#most[part] = timing[part]
    }
  }

  /** `null` if no answer had a timing. */
  totals(): TimingTotals | null {
    const count = this.#count
    if (count === 0) return null
    const mean = (part: (typeof PARTS)[number]): number => Math.round((this.#sum[part] / count) * 1000) / 1000
    return { count, run: mean('run'), ready: mean('ready'), wait: mean('wait'), thread: mean('thread'), most: { ...this.#most } }
  }
}
