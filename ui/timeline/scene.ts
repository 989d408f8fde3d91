// The input of painting: a timeline at one moment, and the layout of the canvas.
import type { Lane, Recording } from '../recording.ts'
import type { Rows } from './rows.ts'
import type { Theme } from './theme.ts'
import type { Track } from './tracks.ts'
import type { Viewport } from './viewport.ts'

export interface Picture {
  recording: Recording
  view: Viewport
  now: number
  /** Whether the timeline is live. */
  follow: boolean
  /** The moment that is shown; null: the present. */
  cursor: number | null
  /** A stretch of time that is measured. */
  range: { from: number; to: number } | null
  /** The wall clock at a time of the loop, in ms; null: it has none, such as virtual time. */
  wall: ((t: number) => number | null) | null
  tracks: readonly Track[]
  selected: number | null
  hovered: number | null
  motion: boolean
}

export interface Scene extends Picture {
  context: CanvasRenderingContext2D
  theme: Theme
  /** The full size of the canvas and the width of the names, in pixels. */
  width: number
  height: number
  gutter: number
  overview: Strip
  axis: Strip
  loop: Strip
  tracksTop: number
  /** Where the lanes begin. */
  top: number
  rows: Rows
  /** A hue for the lanes of a run; null if runs are not distinguished. */
  hueOf: (lane: Lane | undefined) => string | null
}

export interface Strip {
  y: number
  height: number
}
