// A run's timeline in characters: a line for each task, a column for each slice of time. A column shows what the task did
// most, but running always shows: even a step of microseconds gets its mark.
import type { LoopEvent } from '../schema.ts'

type State = 'running' | 'ready' | 'waiting' | 'thread' | 'none'

const MARKS: Record<State, string> = { running: '█', ready: '▒', waiting: '·', thread: '═', none: ' ' }
const CAPS = { returned: '✓', raised: '✗', cancelled: '⊘' } as const
const MOST_TASKS = 40
const LONGEST_NAME = 24

interface Lane {
  name: string
  depth: number
  spans: { state: State; from: number; to: number }[]
  state: State
  since: number
  end: { t: number; mark: string } | null
}

/** Draws the tasks in `events`. `width` is that of the timeline alone, in characters. */
export function draw(events: readonly LoopEvent[], width = 60): string {
  const lanes = new Map<number, Lane>()
  let missed = 0
  for (const event of events) {
    if (event.type === 'task.created') {
      if (lanes.size >= MOST_TASKS) missed++
      else {
        const depth = (event.parent === undefined ? undefined : lanes.get(event.parent)?.depth) ?? -1
        lanes.set(event.task, { name: event.name, depth: depth + 1, spans: [], state: 'ready', since: event.t, end: null })
      }
    } else if ('task' in event && event.task !== undefined) {
      const lane = lanes.get(event.task)
      if (lane !== undefined) advance(lane, event)
    }
  }
  const from = events[0]?.t ?? 0
  const to = events.at(-1)?.t ?? from
  if (lanes.size === 0) return 'no task was recorded\n'
  for (const lane of lanes.values()) if (lane.end === null) close(lane, to)

  const names = [...lanes.values()].map(({ name, depth }) => shorten('  '.repeat(Math.min(depth, 4)) + name))
  const margin = Math.max(...names.map((name) => name.length))
  const lines = [...lanes.values()].map((lane, at) => `${(names[at] as string).padEnd(margin)} │${row(lane, from, to, width)}│`)
  const missing = missed === 0 ? [] : [`and ${missed} more tasks`]
  const scale = `${''.padEnd(margin)}  0${`${(to - from).toFixed(3)} s`.padStart(width - 1)}`
  const key = `${MARKS.running} running  ${MARKS.ready} ready, waiting for the loop  ${MARKS.waiting} waiting  ${MARKS.thread} in a thread  `
    + `${CAPS.returned} returned  ${CAPS.raised} raised  ${CAPS.cancelled} cancelled`
  return [...lines, ...missing, scale, key, ''].join('\n')
}

function advance(lane: Lane, event: LoopEvent): void {
  switch (event.type) {
    case 'task.ready':
      turn(lane, 'ready', event.t)
      break
    case 'task.running':
      turn(lane, 'running', event.t)
      break
    case 'task.suspended':
      turn(lane, event.on.kind === 'yield' ? 'ready' : event.on.kind === 'thread' ? 'thread' : 'waiting', event.t)
      break
    case 'task.finished':
      close(lane, event.t)
      lane.end = { t: event.t, mark: CAPS[event.outcome] }
      break
    default:
      break
  }
}

function turn(lane: Lane, state: State, t: number): void {
  lane.spans.push({ state: lane.state, from: lane.since, to: t })
  lane.state = state
  lane.since = t
}

function close(lane: Lane, t: number): void {
  turn(lane, 'none', t)
}

function row(lane: Lane, from: number, to: number, width: number): string {
  const scale = to > from ? width / (to - from) : 0
  const column = (t: number): number => Math.min(width - 1, Math.floor((t - from) * scale))
  const cells = new Array<State>(width).fill('none')
  // Later states overwrite earlier ones in a shared cell: a short step must stay visible.
  for (const state of ['waiting', 'thread', 'ready', 'running'] as const) {
    for (const span of lane.spans) {
      if (span.state !== state) continue
      const seconds = span.to - span.from
      const first = column(span.from)
      const last = column(span.to)
      // Ready is drawn only where it fills most of a column, or every short step would look like a stall.
      if (state === 'ready' && seconds * scale < 0.5) continue
      for (let at = first; at <= last; at++) {
        if (at === last && at > first && (span.to - from) * scale - at < 0.5) continue
        cells[at] = state
      }
    }
  }
  const marks = cells.map((state) => MARKS[state])
  if (lane.end !== null) marks[column(lane.end.t)] = lane.end.mark
  return marks.join('')
}

function shorten(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name
}
