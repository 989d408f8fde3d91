// The colours of the canvas, from the page's style sheet, and the patterns that distinguish states without colour.
import { GHOST, READY, RUNNING, THREAD, UNKNOWN, WAITING, YIELDING, type State } from '../recording/track.ts'

const NAMES = [
  'ground', 'raised', 'line', 'line-soft', 'ink', 'ink-soft', 'ink-faint', 'accent', 'focus',
  'running', 'ready', 'waiting', 'thread', 'ghost', 'amber', 'red', 'good', 'on-running',
] as const
export type ColourName = typeof NAMES[number]

export interface Theme {
  readonly colours: Record<ColourName, string>
  /** One hue each for runs and producers. */
  readonly hues: readonly string[]
  readonly font: string
  readonly mono: string
  /** The fill of a state's bar. */
  readonly fills: Record<State, string | CanvasPattern>
  readonly stripes: { amber: CanvasPattern | string; red: CanvasPattern | string; gap: CanvasPattern | string }
}

type Draw = (context: CanvasRenderingContext2D, size: number) => void

function pattern(context: CanvasRenderingContext2D, size: number, ratio: number, draw: Draw): CanvasPattern | string {
  const tile = document.createElement('canvas')
  const pixels = Math.round(size * ratio)
  tile.width = pixels
  tile.height = pixels
  const inner = tile.getContext('2d')
  if (inner === null) return 'transparent'
  draw(inner, pixels)
  const made = context.createPattern(tile, 'repeat')
  made?.setTransform(new DOMMatrix().scale(1 / ratio))
  return made ?? 'transparent'
}

/** Lines from bottom left to top right that continue across the tile's edges. */
function hatch(colour: string, width: number, back?: string): Draw {
  return (context, size) => {
    if (back !== undefined) {
      context.fillStyle = back
      context.fillRect(0, 0, size, size)
    }
    context.strokeStyle = colour
    context.lineWidth = width
    context.beginPath()
    for (const shift of [-size, 0, size]) {
      context.moveTo(shift - width, size + width)
      context.lineTo(shift + size + width, -width)
    }
    context.stroke()
  }
}

function dots(colour: string, back: string, radius: number): Draw {
  return (context, size) => {
    context.fillStyle = back
    context.fillRect(0, 0, size, size)
    context.fillStyle = colour
    for (const [x, y] of [[0.25, 0.25], [0.75, 0.75]] as const) {
      context.beginPath()
      context.arc(x * size, y * size, radius, 0, 7)
      context.fill()
    }
  }
}

export function withAlpha(colour: string, alpha: number): string {
  return `color-mix(in srgb, ${colour} ${Math.round(alpha * 100)}%, transparent)`
}

/** Reads the theme from an element's custom properties. */
export function readTheme(element: HTMLElement, context: CanvasRenderingContext2D, ratio: number): Theme {
  const style = getComputedStyle(element)
  const get = (name: string): string => style.getPropertyValue(`--${name}`).trim() || '#888'
  const colours = Object.fromEntries(NAMES.map((name) => [name, get(name)])) as Record<ColourName, string>
  return {
    colours,
    hues: Array.from({ length: 8 }, (_, at) => get(`hue-${at + 1}`)),
    font: style.getPropertyValue('--font').trim() || 'sans-serif',
    mono: style.getPropertyValue('--mono').trim() || 'monospace',
    fills: {
      [RUNNING]: colours.running,
      [READY]: pattern(context, 6, ratio, hatch(colours.ready, 1.7 * ratio, withAlpha(colours.ready, 0.2))),
      [WAITING]: colours.waiting,
      [THREAD]: pattern(context, 6, ratio, dots(colours.thread, withAlpha(colours.thread, 0.24), 1.05 * ratio)),
      [GHOST]: pattern(context, 8, ratio, dots(colours.ghost, 'transparent', 0.9 * ratio)),
      [YIELDING]: pattern(context, 6, ratio, hatch(colours.ready, 1.7 * ratio, withAlpha(colours.running, 0.6))),
      [UNKNOWN]: pattern(context, 8, ratio, hatch(withAlpha(colours['ink-faint'], 0.35), ratio)),
    },
    stripes: {
      amber: pattern(context, 14, ratio, hatch(withAlpha(colours.amber, 0.16), 4 * ratio, withAlpha(colours.amber, 0.07))),
      red: pattern(context, 14, ratio, hatch(withAlpha(colours.red, 0.13), 5 * ratio, withAlpha(colours.red, 0.07))),
      gap: pattern(context, 10, ratio, hatch(withAlpha(colours['ink-faint'], 0.25), 1.5 * ratio, withAlpha(colours['ink-faint'], 0.06))),
    },
  }
}
