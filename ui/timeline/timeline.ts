// The canvas that shows a Recording: any recording, whoever feeds it. It keeps the window, what is selected and the moment
// that is looked at, and draws when one of them or the recording has changed.
import { explain, isOverdue, duration, waitLabel, place } from '../recording/explain.ts'
import { splitOf } from '../recording/track.ts'
import { blastRadius, type Stall } from '../recording/stalls.ts'
import { NOW, Recording, type Lane, type Position } from '../recording.ts'
import { listen } from './input.ts'
import { Layouter, type LaneFilter, type Layout } from './layout.ts'
import { paintGutter, paintLanes, type Scene } from './paint.ts'
import { paintAxis, paintBandLabels, paintBands, paintCursors, paintLoop, paintOverview, type BandLabel, type LoopScene } from './paint-loop.ts'
import { readTheme, type Theme } from './theme.ts'
import { STATE_SIGN, STATE_WORD } from './words.ts'
import { Viewport } from './viewport.ts'

export interface TimelineOptions {
  recording: Recording
  /** The loop's clock now; by default the recording's last moment. */
  now?(): number
  /** What it is called to those who hear the page. */
  label?: string
  /** Without the overview strip. */
  compact?: boolean
  /** Live from the start. */
  follow?: boolean
}

export interface TimelineEvents {
  /** A lane was chosen; null: none. */
  select: (lane: number | null) => void
  /** The moment that is looked at; null: the present. */
  cursor: (position: Position | null) => void
  /** The window has moved. */
  view: (from: number, to: number) => void
  follow: (follow: boolean) => void
  stall: (stall: Stall) => void
}

const OVERVIEW = 26
const AXIS = 22
const LOOP = 58
const LABELS = 42
const ROW = 32
const SMALLEST_ROW = 0.02
const BAR = 10
/** Ms until the next look at a recording of which nothing new was drawn. */
const LOOK = 50
/** The part of the window that lies beyond the present while following. */
const AHEAD = 0.06

export class Timeline {
  readonly view = new Viewport()
  readonly canvas: HTMLCanvasElement
  /** What the last frame cost, in ms, and what it drew. */
  readonly figures = { ms: 0, spans: 0, frames: 0 }
  #recording: Recording
  readonly #options: TimelineOptions
  readonly #host: HTMLElement
  readonly #tip: HTMLElement
  readonly #context: CanvasRenderingContext2D
  readonly #layouter = new Layouter()
  readonly #listeners: { [K in keyof TimelineEvents]?: TimelineEvents[K][] } = {}
  readonly #observer: ResizeObserver
  readonly #stop: () => void
  readonly #reduced = matchMedia('(prefers-reduced-motion: reduce)')
  #theme: Theme | null = null
  #layout: Layout | null = null
  #width = 0
  #height = 0
  #ratio = 1
  #rowHeight = ROW
  #scroll = 0
  #follow: boolean
  #cursor: Position | null = null
  #selected: number | null = null
  #hovered: number | null = null
  #pointer: { x: number; y: number } | null = null
  #filter: LaneFilter | null = null
  #frame = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #dirty = true
  #version = -1
  #animation: { from: [number, number]; to: [number, number]; began: number } | null = null
  #labels: BandLabel[] = []
  #lastFollow = 0

  constructor(host: HTMLElement, options: TimelineOptions) {
    this.#host = host
    this.#options = options
    this.#recording = options.recording
    this.#follow = options.follow ?? false
    host.classList.add('timeline')
    this.canvas = document.createElement('canvas')
    this.canvas.tabIndex = 0
    this.canvas.setAttribute('role', 'img')
    this.canvas.setAttribute('aria-label', options.label ?? 'Timeline of the event loop and its tasks; the panel Table shows the same')
    this.#tip = document.createElement('div')
    this.#tip.className = 'timeline-tip'
    this.#tip.hidden = true
    host.append(this.canvas, this.#tip)
    const context = this.canvas.getContext('2d')
    if (context === null) throw new Error('this browser has no canvas')
    this.#context = context
    this.#observer = new ResizeObserver(() => this.#resize())
    this.#observer.observe(host)
    this.#stop = listen(this.canvas, this.#hands())
    this.#resize()
    this.#schedule(0)
  }

  get recording(): Recording {
    return this.#recording
  }

  set recording(recording: Recording) {
    this.#recording = recording
    this.#selected = null
    this.#hovered = null
    this.#cursor = null
    this.#scroll = 0
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

  /** The moment that is looked at; null: the present. */
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
      if (position.t < this.view.from || position.t > this.view.to) {
        const { span } = this.view
        this.view.set(position.t - span / 2, position.t + span / 2)
        this.#emit('view', this.view.from, this.view.to)
      }
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

  get rowHeight(): number {
    return this.#rowHeight
  }

  set rowHeight(height: number) {
    this.#rowHeight = Math.max(SMALLEST_ROW, Math.min(60, height))
    this.#clampScroll()
    this.draw()
  }

  get lanesShown(): number {
    return this.#layout?.lanes.length ?? 0
  }

  on<K extends keyof TimelineEvents>(name: K, listener: TimelineEvents[K]): () => void {
    const list = (this.#listeners[name] ??= []) as TimelineEvents[K][]
    list.push(listener)
    return () => void list.splice(list.indexOf(listener), 1)
  }

  /** Draw with the next frame. */
  draw(): void {
    this.#dirty = true
    this.#schedule(0)
  }

  /** The recording may have changed: draw it at the pace that it is drawn at. */
  heed(): void {
    if (this.#pause() === 0) this.#schedule(0)
  }

  /** The colours have changed. */
  restyle(): void {
    this.#theme = null
    this.draw()
  }

  /** Show a stretch of time; where motion is welcome it glides there. */
  show(from: number, to: number, glide = true): void {
    if (this.#follow) this.follow = false
    if (!glide || this.#reduced.matches) {
      this.view.set(from, to)
      this.#emit('view', this.view.from, this.view.to)
    } else this.#animation = { from: [this.view.from, this.view.to], to: [from, to], began: performance.now() }
    this.draw()
  }

  /** Show all that is recorded. */
  fit(glide = true): void {
    const { from, to } = this.#recording
    const pad = Math.max(1e-4, (to - from) * 0.04)
    this.show(from - pad, to + pad, glide)
  }

  zoom(factor: number): void {
    const middle = this.#follow ? this.#now() : (this.view.from + this.view.to) / 2
    this.#zoomAt(factor, middle)
  }

  pan(part: number): void {
    this.follow = false
    this.view.pan(this.view.span * part)
    this.#emit('view', this.view.from, this.view.to)
    this.draw()
  }

  /** Scroll so that a lane can be seen. */
  reveal(lane: number): void {
    const row = this.#layout?.rows.get(lane)
    if (row === undefined) return
    const y = row * this.#rowHeight
    const room = this.#height - this.#lanesTop()
    if (y < this.#scroll || y + this.#rowHeight > this.#scroll + room) this.#scroll = y - room / 2
    this.#clampScroll()
    this.draw()
  }

  destroy(): void {
    cancelAnimationFrame(this.#frame)
    clearTimeout(this.#timer)
    this.#frame = -1
    this.#observer.disconnect()
    this.#stop()
    this.canvas.remove()
    this.#tip.remove()
  }

  #emit<K extends keyof TimelineEvents>(name: K, ...values: Parameters<TimelineEvents[K]>): void {
    for (const listener of this.#listeners[name] ?? []) (listener as (...values: unknown[]) => void)(...values)
  }

  #now(): number {
    return this.#options.now?.() ?? this.#recording.to
  }

  #gutter(): number {
    return this.#width < 560 ? 92 : this.#width < 900 ? 150 : 208
  }

  #strips(): { overview: { y: number; height: number }; axis: { y: number; height: number }; loop: { y: number; height: number } } {
    const overview = this.#options.compact === true ? 0 : OVERVIEW
    return { overview: { y: 0, height: overview }, axis: { y: overview, height: AXIS }, loop: { y: overview + AXIS, height: LOOP } }
  }

  #lanesTop(): number {
    const { loop } = this.#strips()
    return loop.y + loop.height + (this.#recording.stalls.all.length > 0 ? LABELS : 4)
  }

  #resize(): void {
    const { width, height } = this.#host.getBoundingClientRect()
    const ratio = Math.min(3, globalThis.devicePixelRatio || 1)
    if (width === this.#width && height === this.#height && ratio === this.#ratio) return
    this.#width = width
    this.#height = height
    if (ratio !== this.#ratio) this.#theme = null
    this.#ratio = ratio
    this.canvas.width = Math.max(1, Math.round(width * ratio))
    this.canvas.height = Math.max(1, Math.round(height * ratio))
    this.#clampScroll()
    this.draw()
  }

  /** Look again in so many ms: a frame costs something even where nothing is drawn in it. */
  #schedule(ms: number): void {
    if (this.#frame !== 0) return
    clearTimeout(this.#timer)
    if (ms > 0) {
      this.#timer = setTimeout(() => this.#schedule(0), ms)
      return
    }
    this.#frame = requestAnimationFrame((time) => {
      this.#frame = 0
      this.#tick(time)
    })
  }

  /** Ms between two pictures of what moves by itself. An idle loop's clock needs no sixty a second. */
  #pause(): number {
    return this.#reduced.matches ? 250 : this.lanesShown === 0 && this.recording.stalls.open === null ? 50 : 0
  }

  #tick(time: number): void {
    if (!this.canvas.isConnected) return
    const { recording } = this
    const glide = this.#animation
    if (glide !== null) {
      const part = Math.min(1, (time - glide.began) / 180)
      const ease = 1 - (1 - Math.max(0, part)) ** 3
      const at = (index: 0 | 1): number => glide.from[index] + (glide.to[index] - glide.from[index]) * ease
      this.view.set(at(0), at(1))
      if (part >= 1) {
        this.#animation = null
        this.#emit('view', this.view.from, this.view.to)
      }
      this.#dirty = true
    }
    const now = this.#now()
    const moving = this.#follow || recording.stalls.open !== null || recording.holder !== null
    const pause = this.#pause()
    const left = pause - (time - this.#lastFollow)
    if (left <= 0 && ((moving && now !== this.#lastNow) || recording.version !== this.#version)) {
      this.#lastFollow = time
      this.#dirty = true
    }
    const drawn = this.#dirty && this.#width > 0
    if (drawn) {
      this.#dirty = false
      this.#version = recording.version
      this.#lastNow = now
      if (this.#follow) {
        const { span } = this.view
        const to = Math.max(now + span * AHEAD, recording.from + span)
        this.view.set(to - span, to)
      }
      const began = performance.now()
      this.#paint(now)
      this.figures.ms = performance.now() - began
      this.figures.frames++
      this.#emitViewSoon()
    }
    this.#schedule(this.#animation !== null || (drawn && pause === 0) ? 0 : Math.max(left, LOOK))
  }

  #lastNow = -1
  #emitViewSoon(): void {
    if (this.#follow) this.#emit('view', this.view.from, this.view.to)
  }

  #paint(now: number): void {
    const context = this.#context
    const { view, recording } = this
    const theme = (this.#theme ??= readTheme(this.#host, context, this.#ratio))
    const gutter = this.#gutter()
    const width = this.#width
    const height = this.#height
    view.left = gutter
    view.width = Math.max(10, width - gutter - BAR)
    const layout = this.#layout = this.#layouter.update(recording, view.from, view.to, this.#filter, this.#follow ? 0.08 : 0.5)
    this.#clampScroll()
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0)
    context.fillStyle = theme.colours.ground
    context.fillRect(0, 0, width, height)
    const hueOfRun = (run: number | null): string | null => run === null ? null : theme.hues[run % theme.hues.length] ?? null
    const strips = this.#strips()
    const loopScene: LoopScene = {
      context, theme, recording, view, now, gutter, width, height, ...strips, cursor: this.#cursor?.t ?? null,
      motion: !this.#reduced.matches,
      hueOf: (task) => hueOfRun(recording.lanes.get(task)?.run ?? null) ?? theme.colours.running,
    }
    const top = this.#lanesTop()
    const scene: Scene = {
      context, theme, recording, view, layout, now, top, height: height - top, rowHeight: this.#rowHeight, scroll: this.#scroll, gutter,
      selected: this.#selected, hovered: this.#hovered, hueOf: (lane) => hueOfRun(lane.run),
    }
    paintBands(loopScene)
    paintAxis(loopScene)
    paintLoop(loopScene)
    const bars = paintLanes(scene)
    this.figures.spans = bars.spans
    context.fillStyle = theme.colours.ground
    context.fillRect(0, top, gutter - 1, height - top)
    paintGutter(scene)
    context.fillStyle = theme.colours.line
    context.fillRect(gutter - 1, strips.axis.y, 1, height)
    this.#labels = paintBandLabels(loopScene)
    if (strips.overview.height > 0) paintOverview(loopScene, ...this.#extent(now))
    paintCursors(loopScene, this.#follow)
    this.#paintScrollbar(context, theme, top)
    if (this.#pointer !== null) this.#showTip(this.#pointer)
  }

  /** The time that the overview spans. */
  #extent(now: number): [number, number] {
    const { from } = this.#recording
    const to = Math.max(now, this.#recording.to, from + 1e-3)
    return [from, to + (to - from) * 0.01]
  }

  #paintScrollbar(context: CanvasRenderingContext2D, theme: Theme, top: number): void {
    const total = this.lanesShown * this.#rowHeight
    const room = this.#height - top
    if (total <= room) return
    const size = Math.max(24, room * room / total)
    const y = top + (room - size) * this.#scroll / Math.max(1, total - room)
    context.fillStyle = theme.colours.line
    context.beginPath()
    context.roundRect(this.#width - BAR + 2, y, BAR - 4, size, 3)
    context.fill()
  }

  #clampScroll(): void {
    const most = Math.max(0, this.lanesShown * this.#rowHeight - (this.#height - this.#lanesTop()))
    this.#scroll = Math.max(0, Math.min(most, this.#scroll))
  }

  #zoomAt(factor: number, t: number): void {
    this.#animation = null
    this.view.zoom(factor, t)
    this.#emit('view', this.view.from, this.view.to)
    this.draw()
  }

  #laneAt(y: number): Lane | null {
    const top = this.#lanesTop()
    if (y < top) return null
    return this.#layout?.lanes[Math.floor((y - top + this.#scroll) / this.#rowHeight)] ?? null
  }

  #hands(): Parameters<typeof listen>[1] {
    return {
      zoom: (factor, x) => this.#zoomAt(factor, this.#follow ? this.#now() : this.view.t(Math.max(this.view.left, x))),
      pan: (dx, dy) => {
        if (dx !== 0) {
          this.follow = false
          this.#animation = null
          this.view.pan(dx / this.view.scale)
          this.#emit('view', this.view.from, this.view.to)
        }
        if (dy !== 0) {
          this.#scroll += dy
          this.#clampScroll()
        }
        this.draw()
      },
      zone: (x, y) => {
        const { overview, axis } = this.#strips()
        if (y < overview.height) return 'overview'
        if (y < axis.y + axis.height) return 'axis'
        return x > this.#width - BAR - 2 && y > this.#lanesTop() ? 'bar' : 'lanes'
      },
      scrub: (x) => { this.cursor = this.recording.positionAt(this.view.t(x)) },
      overview: (x) => {
        this.follow = false
        const [from, to] = this.#extent(this.#now())
        const middle = from + x / this.#width * (to - from)
        const { span } = this.view
        this.view.set(middle - span / 2, middle + span / 2)
        this.#emit('view', this.view.from, this.view.to)
        this.draw()
      },
      scrollbar: (y) => {
        const top = this.#lanesTop()
        const room = this.#height - top
        const total = this.lanesShown * this.#rowHeight
        this.#scroll = (y - top) / room * total - room / 2
        this.#clampScroll()
        this.draw()
      },
      hover: (x, y) => {
        this.#pointer = { x, y }
        const lane = this.#laneAt(y)?.id ?? null
        if (lane !== this.#hovered) {
          this.#hovered = lane
          this.draw()
        } else this.#showTip({ x, y })
      },
      leave: () => {
        this.#pointer = null
        this.#tip.hidden = true
        if (this.#hovered !== null) {
          this.#hovered = null
          this.draw()
        }
      },
      click: (x, y) => {
        const label = this.#labelAt(x, y)
        if (label !== null) {
          this.#emit('stall', label)
          return
        }
        const lane = this.#laneAt(y)
        this.selected = lane === null || lane.id === this.#selected ? null : lane.id
      },
      doubleClick: (x, y) => {
        const lane = this.#laneAt(y)
        const t = this.view.t(x)
        const span = lane?.at({ t, seq: Infinity })
        if (x > this.view.left && span?.to != null) this.show(span.from - (span.to - span.from) * 0.1, span.to + (span.to - span.from) * 0.1)
        else if (lane !== null && lane.kind === 'task') this.show(lane.begunAt, (lane.endedAt ?? this.#now()) + 1e-4)
      },
      key: (event) => this.#key(event),
      scrolls: () => this.lanesShown * this.#rowHeight > this.#height - this.#lanesTop(),
    }
  }

  #labelAt(x: number, y: number): Stall | null {
    return this.#labels.find((label) => x >= label.x && x <= label.x + label.width && y >= label.y && y <= label.y + 34)?.stall ?? null
  }

  /** Keys that are about the canvas alone. */
  #key(event: KeyboardEvent): boolean {
    if (event.ctrlKey || event.metaKey || event.altKey) return false
    switch (event.key) {
      case 'ArrowUp': case 'ArrowDown': {
        const lanes = this.#layout?.lanes ?? []
        const at = lanes.findIndex(({ id }) => id === this.#selected)
        const next = lanes[Math.max(0, Math.min(lanes.length - 1, at + (event.key === 'ArrowDown' ? 1 : -1)))]
        if (next !== undefined) {
          this.selected = next.id
          this.reveal(next.id)
        }
        return true
      }
      case 'PageDown': this.#scroll += (this.#height - this.#lanesTop()) * 0.9; break
      case 'PageUp': this.#scroll -= (this.#height - this.#lanesTop()) * 0.9; break
      case 'Enter': {
        const lane = this.#selected === null ? undefined : this.recording.lanes.get(this.#selected)
        if (lane !== undefined) this.show(lane.begunAt - 1e-4, (lane.endedAt ?? this.#now()) + 1e-4)
        return lane !== undefined
      }
      default: return false
    }
    this.#clampScroll()
    this.draw()
    return true
  }

  #showTip({ x, y }: { x: number; y: number }): void {
    const lines = this.#tipLines(x, y)
    this.#tip.hidden = lines.length === 0
    if (lines.length === 0) return
    this.#tip.replaceChildren(...lines.map((text, at) => {
      const line = document.createElement('div')
      line.className = at === 0 ? 'tip-head' : 'tip-line'
      line.textContent = text
      return line
    }))
    const box = this.#tip.getBoundingClientRect()
    const left = x + 16 + box.width > this.#width ? Math.max(4, x - box.width - 12) : x + 16
    const top = y + 16 + box.height > this.#height ? Math.max(4, y - box.height - 12) : y + 16
    this.#tip.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`
  }

  #tipLines(x: number, y: number): string[] {
    const { recording } = this
    const now = this.#now()
    const stall = this.#labelAt(x, y)
    if (stall !== null) {
      return [blastRadius(stall, (stall.to ?? now) - stall.from), ...stall.stack.slice(0, 5).map(place),
        ...stall.victims.slice(0, 8).map((victim) => `${victim.name} delayed by ${duration(victim.seconds)}`)]
    }
    const lane = this.#laneAt(y)
    if (lane === null) return []
    const t = this.view.t(x)
    const about = `${lane.name}${lane.kind === 'task' ? ` · task ${lane.id}` : ''}${lane.run === null ? '' : ` · run ${lane.run}`}`
    if (x < this.view.left) return [about, explain(recording, lane, NOW, now)]
    if (t > now) return [about]
    // A pixel may hold many states: the last of them is told, and how many there are.
    const span = lane.at({ t, seq: Infinity })
    if (span === null) return [about, explain(recording, lane, { t, seq: Infinity }, now)]
    const state = isOverdue(span, Math.min(t, span.to ?? now)) ? 0 : span.state
    const end = span.to ?? now
    const pixel = 1 / this.view.scale
    let crowd = 0
    for (let index = lane.firstAfter(t - pixel); index < lane.starts.length && (lane.starts[index] as number) < t + pixel; index++) crowd++
    const split = crowd > 4 ? splitOf(lane, t - pixel, t + pixel) : null
    return [
      about,
      `${STATE_SIGN[state]} ${STATE_WORD[state]}${state === 2 ? ` for ${waitLabel(span.info?.on, recording)}` : ''} · ${duration(end - span.from)}${span.to === null ? ' so far' : ''}`,
      ...split === null ? [] : [`${crowd} states here: ${duration(split.run)} running, ${duration(split.ready)} ready, ${duration(split.wait)} waiting`],
      explain(recording, lane, { t, seq: recording.positionAt(t).seq }, now),
    ]
  }
}
