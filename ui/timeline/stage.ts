// The canvas: its size, the places of its parts, and the painting of all of them.
import type { Recording } from '../recording.ts'
import type { Stall } from '../recording/stalls.ts'
import type { Hands } from './input.ts'
import { paintGutter, paintLanes } from './paint.ts'
import { paintAxis, paintBandLabels, paintBands, paintCursors, paintLoop, paintOverview, paintRange, type BandLabel } from './paint-loop.ts'
import { paintTracks, TRACK } from './paint-tracks.ts'
import { BAR, type Rows } from './rows.ts'
import type { Picture, Scene } from './scene.ts'
import { readTheme, type Theme } from './theme.ts'
import { sizeOf } from './zoom.ts'

const OVERVIEW = 26
const AXIS = 22
/** With the wall clock below the loop's time. */
const TALL_AXIS = 38
const LOOP = 58
const LABELS = 42
const LABEL = 34

export class Stage {
  readonly canvas = document.createElement('canvas')
  width = 0
  height = 0
  readonly #host: HTMLElement
  readonly #context: CanvasRenderingContext2D
  readonly #overview: number
  readonly #axis: number
  #tracks = 0
  #ratio = 1
  #theme: Theme | null = null
  #labels: BandLabel[] = []

  constructor(host: HTMLElement, label: string, compact: boolean, wall: boolean) {
    this.#host = host
    this.#axis = wall ? TALL_AXIS : AXIS
    this.#overview = compact ? 0 : OVERVIEW
    host.classList.add('timeline')
    this.canvas.tabIndex = 0
    this.canvas.setAttribute('role', 'img')
    this.canvas.setAttribute('aria-label', label)
    host.append(this.canvas)
    const context = this.canvas.getContext('2d')
    if (context === null) throw new Error('this browser has no canvas')
    this.#context = context
  }

  /** Takes the host's size; false if it is unchanged. */
  resize(): boolean {
    const { width, height, zoom } = sizeOf(this.#host)
    const ratio = Math.min(3, globalThis.devicePixelRatio || 1) * zoom
    if (width === this.width && height === this.height && ratio === this.#ratio) return false
    this.width = width
    this.height = height
    if (ratio !== this.#ratio) this.restyle()
    this.#ratio = ratio
    this.canvas.width = Math.max(1, Math.round(width * ratio))
    this.canvas.height = Math.max(1, Math.round(height * ratio))
    return true
  }

  /** The colours have changed. */
  restyle(): void {
    this.#theme = null
  }

  /** Where the lanes begin. */
  lanesTop({ stalls }: Recording): number {
    return this.#overview + this.#axis + LOOP + (stalls.all.length > 0 ? LABELS : 4) + this.#tracks * TRACK
  }

  zone(x: number, y: number, recording: Recording): ReturnType<Hands['zone']> {
    if (y < this.#overview) return 'overview'
    if (y < this.#overview + this.#axis) return 'axis'
    return x > this.width - BAR - 2 && y > this.lanesTop(recording) ? 'bar' : 'lanes'
  }

  labelAt(x: number, y: number): Stall | null {
    return this.#labels.find((label) => x >= label.x && x <= label.x + label.width && y >= label.y && y <= label.y + LABEL)?.stall ?? null
  }

  paint(picture: Picture, rows: Rows): void {
    const context = this.#context
    const { width, height } = this
    const { recording, view, now } = picture
    this.#tracks = picture.tracks.length
    const theme = (this.#theme ??= readTheme(this.#host, context, this.#ratio))
    const gutter = width < 560 ? 92 : width < 900 ? 150 : 208
    view.left = gutter
    view.width = Math.max(10, width - gutter - BAR)
    const scene: Scene = {
      ...picture, context, theme, width, height, gutter, top: this.lanesTop(recording), rows,
      overview: { y: 0, height: this.#overview }, axis: { y: this.#overview, height: this.#axis }, loop: { y: this.#overview + this.#axis, height: LOOP }, tracksTop: this.lanesTop(recording) - this.#tracks * TRACK,
      hueOf: (lane) => lane?.run == null ? null : theme.hues[lane.run % theme.hues.length] ?? null,
    }
    context.setTransform(this.#ratio, 0, 0, this.#ratio, 0, 0)
    context.fillStyle = theme.colours.ground
    context.fillRect(0, 0, width, height)
    paintBands(scene)
    paintAxis(scene)
    paintLoop(scene)
    paintTracks(scene)
    paintLanes(scene)
    context.fillStyle = theme.colours.ground
    context.fillRect(0, scene.top, gutter - 1, height - scene.top)
    paintGutter(scene)
    context.fillStyle = theme.colours.line
    context.fillRect(gutter - 1, this.#overview, 1, height)
    this.#labels = paintBandLabels(scene)
    if (this.#overview > 0) paintOverview(scene, ...extentOf(recording, now))
    paintRange(scene)
    paintCursors(scene)
    rows.paintBar(context, width, theme.colours.line)
  }
}

/** The time that the overview spans. */
export function extentOf({ from, to: last }: Recording, now: number): [number, number] {
  const to = Math.max(now, last, from + 1e-3)
  return [from, to + (to - from) * 0.01]
}
