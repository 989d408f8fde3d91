// Draws the probes of a lab. Each is a dot: when it was due, and how long it took. The scale shows a millisecond and a
// second alike.
import { AMBER, RED } from '../../src/events/stalls.ts'
import type { Lab } from '../recording/labs.ts'
import type { Viewport } from '../timeline/viewport.ts'
import { zoomOf } from '../timeline/zoom.ts'

const LINES = [0.001, 0.01, 0.1, 1, 10]
const LOWEST = 0.0003

export function paintProbes(canvas: HTMLCanvasElement, lab: Lab, view: Viewport, width: number, height: number): void {
  const ratio = (globalThis.devicePixelRatio || 1) * zoomOf(canvas)
  canvas.width = Math.round(width * ratio)
  canvas.height = Math.round(height * ratio)
  const context = canvas.getContext('2d')
  if (context === null) return
  context.scale(ratio, ratio)
  const style = getComputedStyle(canvas)
  const colour = (name: string): string => style.getPropertyValue(`--${name}`)
  const most = Math.max(0.02, ...lab.samples.map(({ seconds }) => seconds)) * 1.5
  const low = Math.log(LOWEST)
  const scale = (height - 30) / (Math.log(most) - low)
  const y = (seconds: number): number => height - 8 - (Math.log(Math.max(LOWEST, seconds)) - low) * scale
  context.font = `12px ${colour('font')}`
  context.textBaseline = 'middle'
  for (const line of LINES) {
    if (line > most) break
    context.fillStyle = colour('line-soft')
    context.fillRect(view.left, Math.round(y(line)), view.width, 1)
    context.fillStyle = colour('ink-soft')
    context.fillText(line >= 1 ? `${line} s` : `${line * 1000} ms`, 12, y(line))
  }
  lab.turns.forEach(({ lane, from }, at) => {
    const x0 = Math.max(view.left, view.x(from))
    const x1 = Math.min(view.left + view.width, view.x(lab.turns[at + 1]?.from ?? lab.to ?? view.to))
    if (x1 <= x0) return
    context.fillStyle = colour('line')
    context.fillRect(x0, 0, 1, height)
    context.fillStyle = colour('ink')
    if (x1 - x0 > context.measureText(lane).width + 12) context.fillText(lane, x0 + 6, 9)
  })
  for (const { t, seconds } of lab.samples) {
    const x = view.x(t)
    if (x < view.left || x > view.left + view.width) continue
    const bad = seconds >= RED
    const middling = seconds >= AMBER
    context.fillStyle = colour(bad ? 'red' : middling ? 'amber' : 'accent')
    // Late probes are squares, so that colour is not the only difference.
    if (bad) context.fillRect(x - 2.5, y(seconds) - 2.5, 5, 5)
    else {
      context.beginPath()
      context.arc(x, y(seconds), middling ? 2.4 : 1.6, 0, 7)
      context.fill()
    }
  }
}
