// The stretch of time that a timeline shows, and its mapping to pixels. Plain arithmetic, without DOM.

import { moment } from '../recording/time.ts'

/** The smallest window, in seconds: events are a microsecond apart at least. */
const NARROWEST = 20e-6
/** Beyond the times that events may have, so that any recording fits; small enough that doubles resolve microseconds. */
const FARTHEST = 1e10
const WIDEST = FARTHEST
const MOST_TICKS = 200

export interface Tick {
  t: number
  label: string
}

export class Viewport {
  from = 0
  to = 10
  /** The left edge and the width of the lanes, in pixels. */
  left = 0
  width = 1

  get span(): number {
    return this.to - this.from
  }

  /** Pixels per second. */
  get scale(): number {
    return this.width / this.span
  }

  x(t: number): number {
    return this.left + (t - this.from) * this.scale
  }

  t(x: number): number {
    return this.from + (x - this.left) / this.scale
  }

  /** Shows this stretch, clamped to what can be shown: the numbers may come from links and programs. */
  set(from: number, to: number): void {
    let span = to - from
    if (!Number.isFinite(span)) return
    const middle = (from + to) / 2
    if (span < NARROWEST || span > WIDEST) {
      span = Math.max(NARROWEST, Math.min(WIDEST, span))
      from = middle - span / 2
    }
    this.from = Math.max(-FARTHEST, Math.min(FARTHEST - span, from))
    this.to = this.from + span
  }

  /** Zooms by a factor (below 1 is nearer) around the moment `t`. */
  zoom(factor: number, t: number): void {
    const span = Math.max(NARROWEST, Math.min(WIDEST, this.span * factor))
    const from = t - (t - this.from) / this.span * span
    this.set(from, from + span)
  }

  pan(seconds: number): void {
    this.set(this.from + seconds, this.to + seconds)
  }

  /** Round times about `distance` pixels apart, with enough digits to distinguish them. */
  ticks(distance: number, zero: number): Tick[] {
    const wanted = distance / this.scale
    const power = 10 ** Math.floor(Math.log10(wanted))
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= wanted) ?? power * 10
    const ticks: Tick[] = []
    const first = Math.ceil((this.from - zero) / step)
    const last = Math.floor((this.to - zero) / step)
    for (let at = first; at <= last && ticks.length < MOST_TICKS; at++) ticks.push({ t: zero + at * step, label: tickLabel(at * step, step) })
    return ticks
  }
}

function tickLabel(t: number, step: number): string {
  if (t === 0) return '0'
  const digits = Math.max(0, Math.min(6, Math.ceil(-Math.log10(step) - 1e-9)))
  return moment(t, digits)
}
