// The canvas that shows a Recording from any source. It keeps the window, the selection and the cursor, and draws when one
// of them or the recording has changed.
import type { Stall } from '../recording/stalls.ts'
import type { Lane, Position, Recording } from '../recording.ts'
import { Camera } from './camera.ts'
import { Frames } from './frames.ts'
import { listen, type Hands } from './input.ts'
import { Layouter, type Grouping, type LaneFilter, type Layout } from './layout.ts'
import { nearest } from './packing.ts'
import { Rows } from './rows.ts'
import { extentOf, Stage } from './stage.ts'
import { tipOfLane, tipOfStall, Tooltip } from './tooltip.ts'
import { tracksOf } from './tracks.ts'
import type { Viewport } from './viewport.ts'

export interface TimelineOptions {
  recording: Recording
  /** The loop's clock now; by default the recording's last moment. */
  now?(): number
  /** Its label for screen readers. */
  label?: string
  /** Without the overview strip. */
  compact?: boolean
  /** Live from the start. */
  follow?: boolean
  /** The wall clock at a time of the loop, in ms; null: none. */
  wall?(t: number): number | null
}

/** A stretch of time. */
export interface Stretch {
  from: number
  to: number
}

export interface TimelineEvents {
  /** A lane was selected; null: none. */
  select: (lane: number | null) => void
  /** The moment that is shown; null: the present. */
  cursor: (position: Position | null) => void
  /** The window has moved. */
  view: (from: number, to: number) => void
  follow: (follow: boolean) => void
  range: (range: Stretch | null) => void
  stall: (stall: Stall) => void
}

/** How many pixels beside a lane of a shared row still mean it. */
const NEAR = 4
/** Ms until the next look at an unchanged recording. */
const LOOK = 50

export class Timeline {
  /** What the last frame cost, in ms, and the number of frames. */
  readonly figures = { ms: 0, frames: 0 }
  #recording: Recording
  readonly #options: TimelineOptions
  readonly #wall: ((t: number) => number | null) | null
  readonly #stage: Stage
  readonly #tip: Tooltip
  readonly #camera = new Camera((from, to) => this.#emit('view', from, to))
  readonly #rows = new Rows(() => ({ top: this.#stage.lanesTop(this.#recording), bottom: this.#stage.height }))
  readonly #frames = new Frames((time) => this.#tick(time))
  readonly #layouter = new Layouter()
  readonly #listeners: { [K in keyof TimelineEvents]?: TimelineEvents[K][] } = {}
  readonly #observer: ResizeObserver
  readonly #stop: () => void
  readonly #reduced = matchMedia('(prefers-reduced-motion: reduce)')
  #follow: boolean
  #cursor: Position | null = null
  #selected: number | null = null
  #hovered: number | null = null
  #pointer: { x: number; y: number } | null = null
  #filter: LaneFilter | null = null
  #grouping: Grouping = 'alive'
  #range: Stretch | null = null
  /** A lane to scroll to, once it has a row. */
  #reveal: number | null = null
  #dirty = true
  /** What was drawn last, and when. */
  #drawn = { version: -1, now: -1, at: 0 }

  constructor(host: HTMLElement, options: TimelineOptions) {
    this.#options = options
    this.#wall = options.wall === undefined ? null : (t) => options.wall?.(t) ?? null
    this.#recording = options.recording
    this.#follow = options.follow ?? false
    this.#stage = new Stage(host, options.label ?? 'Timeline of the event loop and its tasks; the panel Table shows the same', options.compact ?? false, options.wall !== undefined)
    this.#tip = new Tooltip(host)
    this.#observer = new ResizeObserver(() => this.#resize())
    this.#observer.observe(host)
    this.#stop = listen(this.#stage.canvas, this.#hands())
    this.#resize()
    this.#frames.in(0)
  }

  /** The stretch of time that is shown. */
  get view(): Viewport {
    return this.#camera.view
  }

  get recording(): Recording {
    return this.#recording
  }

  set recording(recording: Recording) {
    this.#recording = recording
    this.#selected = null
    this.#hovered = null
    this.#cursor = null
    this.range = null
    this.#rows.scroll = 0
    this.draw()
  }

  get follow(): boolean {
    return this.#follow
  }

  set follow(follow: boolean) {
    if (follow === this.#follow) return
    this.#follow = follow
    if (follow) this.cursor = null
    this.#emit('follow', follow)
    this.draw()
  }

  /** The moment that is shown; null: the present. */
  get cursor(): Position | null {
    return this.#cursor
  }

  set cursor(position: Position | null) {
    this.#cursor = position
    if (position !== null) {
      if (this.#follow) {
        this.#follow = false
        this.#emit('follow', false)
      }
      if (position.t < this.view.from || position.t > this.view.to) this.#camera.centre(position.t)
    }
    this.#emit('cursor', position)
    this.draw()
  }

  get selected(): number | null {
    return this.#selected
  }

  set selected(lane: number | null) {
    if (lane === this.#selected) return
    this.#selected = lane
    this.#emit('select', lane)
    this.draw()
  }

  /** Which lanes are shown; null: all. */
  set filter(filter: LaneFilter | null) {
    this.#filter = filter
    this.draw()
  }

  get grouping(): Grouping {
    return this.#grouping
  }

  set grouping(grouping: Grouping) {
    this.#grouping = grouping
    this.draw()
  }

  /** The stretch that is measured; null: none. */
  get range(): Stretch | null {
    return this.#range
  }

  set range(range: Stretch | null) {
    if (range === this.#range) return
    this.#range = range
    this.#emit('range', range)
    this.draw()
  }

  get rowHeight(): number {
    return this.#rows.height
  }

  set rowHeight(height: number) {
    this.#rows.height = height
    this.draw()
  }

  get lanesShown(): number {
    return this.#rows.layout.count
  }

  /** Where rows are: a row's `y`, and the height in pixels. */
  get placeOf(): { rows: Rows; layout: Layout; height: number } {
    return { rows: this.#rows, layout: this.#rows.layout, height: this.#stage.height }
  }

  /** The number of lanes that are on top because of a stall. */
  get pinned(): number {
    return this.#rows.layout.pinned
  }

  on<K extends keyof TimelineEvents>(name: K, listener: TimelineEvents[K]): () => void {
    const list = (this.#listeners[name] ??= []) as TimelineEvents[K][]
    list.push(listener)
    return () => void list.splice(list.indexOf(listener), 1)
  }

  /** Draws with the next frame. */
  draw(): void {
    this.#dirty = true
    this.#frames.in(0)
  }

  /** The recording may have changed: it is drawn at the usual pace, where the present is not followed with the next look. */
  refresh(): void {
    if (this.#follow && this.#pause() === 0) this.#frames.in(0)
  }

  /** The colours have changed. */
  restyle(): void {
    this.#stage.restyle()
    this.draw()
  }

  /** Shows a stretch of time. The window glides there, unless the reader prefers reduced motion. */
  show(from: number, to: number, glide = true): void {
    this.follow = false
    if (glide && !this.#reduced.matches) this.#camera.glide(from, to)
    else this.#camera.set(from, to)
    this.draw()
  }

  /** Shows the whole recording. */
  fit(glide = true): void {
    const { from, to } = this.#recording
    const pad = Math.max(1e-4, (to - from) * 0.04)
    this.show(from - pad, to + pad, glide)
  }

  zoom(factor: number): void {
    this.#zoomAt(factor, this.#follow ? this.#now() : (this.view.from + this.view.to) / 2)
  }

  pan(part: number): void {
    this.#panBy(this.view.span * part)
  }

  /** Scrolls so that a lane is visible. */
  reveal(lane: number): void {
    this.#reveal = lane
    this.draw()
  }

  /** Shows a lane, at a time when it was there. */
  find({ id, begunAt, endedAt }: Lane): void {
    const { from, to } = this.view
    if (begunAt > to || (endedAt ?? Infinity) < from) {
      this.follow = false
      this.#camera.centre(begunAt)
    }
    this.selected = id
    this.reveal(id)
  }

  destroy(): void {
    this.#frames.stop()
    this.#observer.disconnect()
    this.#stop()
    this.#stage.canvas.remove()
    this.#tip.element.remove()
  }

  #emit<K extends keyof TimelineEvents>(name: K, ...values: Parameters<TimelineEvents[K]>): void {
    for (const listener of this.#listeners[name] ?? []) (listener as (...values: unknown[]) => void)(...values)
  }

  #now(): number {
    return this.#options.now?.() ?? this.#recording.to
  }

  #resize(): void {
    if (this.#stage.resize()) this.draw()
  }

  /** Ms between two draws while only the clock changes. For an idle loop, 60 per second are too many. */
  #pause(): number {
    return this.#reduced.matches ? 250 : this.lanesShown === 0 && this.recording.stalls.open === null ? 50 : 0
  }

  #tick(time: number): void {
    if (!this.#stage.canvas.isConnected) return
    const { recording } = this
    const { gliding } = this.#camera
    this.#camera.advance(time)
    const now = this.#now()
    // What is alive goes on, where the window has the present.
    const moving = this.#follow || this.#drawn.now < this.view.to || recording.stalls.open !== null || recording.holder !== null
    const pause = this.#pause()
    const left = pause - (time - this.#drawn.at)
    const due = left <= 0 && ((moving && now !== this.#drawn.now) || recording.version !== this.#drawn.version)
    const draws = (this.#dirty || gliding || due) && this.#stage.width > 0
    if (draws) {
      this.#dirty = false
      this.#drawn = { version: recording.version, now, at: due ? time : this.#drawn.at }
      if (this.#follow) this.#camera.follow(now, recording.from)
      const began = performance.now()
      this.#paint(now)
      this.figures.ms = performance.now() - began
      this.figures.frames++
      if (this.#follow) this.#camera.moved()
    }
    this.#frames.in(this.#camera.gliding || (draws && this.#follow && pause === 0) ? 0 : Math.max(left, LOOK))
  }

  #paint(now: number): void {
    const { view, recording } = this
    this.#rows.show(this.#layouter.update({
      recording, from: view.from, to: view.to, filter: this.#filter, grouping: this.#grouping, near: this.#follow ? 0.08 : 0.5, now, room: this.#rows.readable,
    }))
    if (this.#reveal !== null) this.#rows.reveal(this.#reveal)
    this.#reveal = null
    this.#stage.paint({
      recording, view, now, range: this.#range, wall: this.#wall, tracks: tracksOf(recording, view.from, view.to), follow: this.#follow, cursor: this.#cursor?.t ?? null, selected: this.#selected, hovered: this.#hovered,
      motion: !this.#reduced.matches,
    }, this.#rows)
    this.#showTip(now)
  }

  #zoomAt(factor: number, t: number): void {
    this.#camera.zoom(factor, t)
    this.draw()
  }

  #panBy(seconds: number): void {
    this.follow = false
    this.#camera.pan(seconds)
    this.draw()
  }

  #hands(): Hands {
    return {
      zoom: (factor, x) => this.#zoomAt(factor, this.#follow ? this.#now() : this.view.t(Math.max(this.view.left, x))),
      pan: (dx, dy) => {
        if (dx !== 0) this.#panBy(dx / this.view.scale)
        this.#scrollBy(dy)
      },
      zone: (x, y) => this.#stage.zone(x, y, this.#recording),
      scrub: (x) => { this.cursor = this.recording.positionAt(this.view.t(x)) },
      range: (x0, x1) => {
        const [from, to] = [this.view.t(Math.min(x0, x1)), this.view.t(Math.max(x0, x1))]
        this.range = { from, to }
      },
      overview: (x) => {
        this.follow = false
        const [from, to] = extentOf(this.#recording, this.#now())
        this.#camera.centre(from + x / this.#stage.width * (to - from))
        this.draw()
      },
      scrollbar: (y) => {
        this.#rows.drag(y)
        this.draw()
      },
      hover: (x, y) => {
        this.#pointer = { x, y }
        if (!this.#hover(this.#laneAt(x, y))) this.#showTip(this.#now())
      },
      leave: () => {
        this.#pointer = null
        this.#tip.element.hidden = true
        this.#hover(null)
      },
      click: (x, y) => {
        const label = this.#stage.labelAt(x, y)
        if (label !== null) {
          this.#emit('stall', label)
          return
        }
        const lane = this.#laneAt(x, y)
        this.selected = lane === null || lane.id === this.#selected ? null : lane.id
      },
      doubleClick: (x, y) => {
        const lane = this.#laneAt(x, y)
        const t = this.view.t(x)
        const span = lane?.at({ t, seq: Infinity })
        if (x > this.view.left && span?.to != null) this.show(span.from - (span.to - span.from) * 0.1, span.to + (span.to - span.from) * 0.1)
        else if (lane !== null && lane.kind === 'task') this.show(lane.begunAt, (lane.endedAt ?? this.#now()) + 1e-4)
      },
      key: (event) => this.#key(event),
      scrolls: () => this.#rows.overflow,
    }
  }

  /** Keys that only concern the canvas. */
  #key(event: KeyboardEvent): boolean {
    if (event.ctrlKey || event.metaKey || event.altKey) return false
    switch (event.key) {
      case 'ArrowUp': case 'ArrowDown': {
        const next = this.#beside(event.key === 'ArrowDown' ? 1 : -1, event.shiftKey)
        if (next !== null) {
          this.selected = next.id
          this.reveal(next.id)
        }
        return true
      }
      case 'PageDown': this.#scrollBy(this.#rows.room * 0.9); return true
      case 'PageUp': this.#scrollBy(this.#rows.room * -0.9); return true
      case 'Enter': {
        const lane = this.#selected === null ? undefined : this.recording.lanes.get(this.#selected)
        if (lane !== undefined) this.show(lane.begunAt - 1e-4, (lane.endedAt ?? this.#now()) + 1e-4)
        return lane !== undefined
      }
      default: return false
    }
  }

  #laneAt(x: number, y: number): Lane | null {
    return this.#rows.laneAt(y, this.view.t(x), NEAR / this.view.scale)
  }

  /** The lane in the next row, or, within a shared row, the next lane. */
  #beside(step: 1 | -1, same: boolean): Lane | null {
    const { layout } = this.#rows
    const { rows } = layout
    const row = this.#selected === null ? undefined : layout.rowOf(this.#selected)
    if (same && row !== undefined) return row.lanes[row.lanes.findIndex(({ id }) => id === this.#selected) + step] ?? null
    let at = row === undefined ? (step > 0 ? 0 : rows.length - 1) : row.at + step
    while (rows[at]?.lanes.length === 0) at += step
    const { lanes = [] } = rows[at] ?? {}
    const middle = (this.view.from + this.view.to) / 2
    return nearest(lanes, middle, Infinity)
  }

  /** The pointer is over this lane; false if nothing has changed. */
  #hover(lane: Lane | null): boolean {
    if ((lane?.id ?? null) === this.#hovered) return false
    this.#hovered = lane?.id ?? null
    this.draw()
    return true
  }

  #scrollBy(pixels: number): void {
    this.#rows.scroll += pixels
    this.draw()
  }

  #showTip(now: number): void {
    if (this.#pointer === null) return
    const { x, y } = this.#pointer
    const stall = this.#stage.labelAt(x, y)
    const lane = this.#laneAt(x, y)
    this.#tip.show(stall !== null ? tipOfStall(stall, now) : lane !== null ? tipOfLane(this.#recording, lane, this.view, x, now) : [], x, y)
  }
}
