// The text for the place under the pointer.
import { duration, explain, isOverdue, messageText, place, waitLabel } from '../recording/explain.ts'
import { blastRadius, type Stall } from '../recording/stalls.ts'
import { READY, splitOf, WAITING, type Mark } from '../recording/track.ts'
import { NOW, type Lane, type Recording } from '../recording.ts'
import type { Viewport } from './viewport.ts'
import { STATE_SIGN, STATE_WORD } from './words.ts'
import { sizeOf } from './zoom.ts'

export class Tooltip {
  readonly element = document.createElement('div')
  readonly #host: HTMLElement

  constructor(host: HTMLElement) {
    this.#host = host
    this.element.className = 'timeline-tip'
    this.element.hidden = true
    host.append(this.element)
  }

  show(lines: readonly string[], x: number, y: number): void {
    this.element.hidden = lines.length === 0
    if (lines.length === 0) return
    this.element.replaceChildren(...lines.map((text, at) => {
      const line = document.createElement('div')
      line.className = at === 0 ? 'tip-head' : 'tip-line'
      line.textContent = text
      return line
    }))
    const box = sizeOf(this.element)
    const room = sizeOf(this.#host)
    const left = x + 16 + box.width > room.width ? Math.max(4, x - box.width - 12) : x + 16
    const top = y + 16 + box.height > room.height ? Math.max(4, y - box.height - 12) : y + 16
    this.element.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`
  }
}

export function tipOfStall(stall: Stall, now: number): string[] {
  return [
    blastRadius(stall, (stall.to ?? now) - stall.from), ...stall.stack.slice(0, 5).map(place),
    ...stall.victims.slice(0, 8).map((victim) => `${victim.name} delayed by ${duration(victim.seconds)}`),
  ]
}

/** Messages this many pixels from the pointer are named, as many as there is room for. */
const NEAR = 5
const MOST_MESSAGES = 6

function messagesNear(lane: Lane, t: number, near: number): string[] {
  const lines: string[] = []
  for (let at = lane.firstMark(t - near); at < lane.marks.length && lines.length < MOST_MESSAGES; at++) {
    const mark = lane.marks[at] as Mark
    if (mark.t > t + near) break
    if (mark.type === 'request.message') lines.push(messageText(mark))
  }
  return lines
}

export function tipOfLane(recording: Recording, lane: Lane, view: Viewport, x: number, now: number): string[] {
  const t = view.t(x)
  const about = `${lane.name}${lane.kind === 'task' ? ` · task ${lane.id}` : ''}${lane.run === null ? '' : ` · run ${lane.run}`}`
  if (x < view.left) return [about, explain(recording, lane, NOW, now)]
  if (t > now) return [about]
  // A pixel may have many states: the text describes the last one and gives their number.
  const span = lane.at({ t, seq: Infinity })
  if (span === null) return [about, explain(recording, lane, { t, seq: Infinity }, now)]
  const end = span.to ?? now
  const state = isOverdue(span, Math.min(t, end)) ? READY : span.state
  const pixel = 1 / view.scale
  let crowd = 0
  for (let index = lane.firstAfter(t - pixel); index < lane.starts.length && (lane.starts[index] as number) < t + pixel; index++) crowd++
  const split = crowd > 4 ? splitOf(lane, t - pixel, t + pixel) : null
  return [
    about,
    `${STATE_SIGN[state]} ${STATE_WORD[state]}${state === WAITING ? ` for ${waitLabel(span.info?.on, recording)}` : ''} · ${duration(end - span.from)}${span.to === null ? ' so far' : ''}`,
    ...messagesNear(lane, t, NEAR / view.scale),
    ...split === null ? [] : [`${crowd} states here: ${duration(split.run)} running, ${duration(split.ready)} ready, ${duration(split.wait)} waiting`],
    explain(recording, lane, { t, seq: recording.positionAt(t).seq }, now),
  ]
}
