// A run's timeline in characters: a line for each task, a column for each slice of time. A column shows what the task did
// most, but running always shows: even a step of microseconds gets its mark.
import type { LoopEvent } from '../schema.ts'

type State = 'running' | 'ready' | 'waiting' | 'thread' | 'none'

const MARKS: Record<State, string> = { running: '█', ready: '▒', waiting: '·', thread: '═', none: ' ' }
const CAPS = { returned: '✓', raised: '✗', cancelled: '⊘' } as const
const MOST_TASKS = 40
const LONGEST_NAME = 24

interface Track {
  name: string
  depth: number
  spans: { state: State; from: number; to: number }[]
  state: State
  since: number
  end: { t: number; mark: string } | null
}

/** Draws the tasks in `events`. `width` is that of the timeline alone, in characters. */
export function draw(events: readonly LoopEvent[], width = 60): string {
  const tracks = new Map<number, Track>()
  let missed = 0
  for (const event of events) {
    if (event.type === 'task.created') {
      if (tracks.size >= MOST_TASKS) missed++
      else {
        const depth = (event.parent === undefined ? undefined : tracks.get(event.parent)?.depth) ?? -1
        tracks.set(event.task, { name: event.name, depth: depth + 1, spans: [], state: 'ready', since: event.t, end: null })
      }
    } else if ('task' in event && event.task !== undefined) {
      const track = tracks.get(event.task)
      if (track !== undefined) advance(track, event)
    }
  }
  const from = events[0]?.t ?? 0
  const to = events.at(-1)?.t ?? from
  if (tracks.size === 0) return 'no task was recorded\n'
  for (const track of tracks.values()) if (track.end === null) close(track, to)

  const names = [...tracks.values()].map(({ name, depth }) => shorten('  '.repeat(Math.min(depth, 4)) + name))
  const margin = Math.max(...names.map((name) => name.length))
  const lines = [...tracks.values()].map((track, at) => `${(names[at] as string).padEnd(margin)} │${row(track, from, to, width)}│`)
  const missing = missed === 0 ? [] : [`and ${missed} more tasks`]
  const scale = `${''.padEnd(margin)}  0${`${(to - from).toFixed(3)} s`.padStart(width - 1)}`
  const key = `${MARKS.running} running  ${MARKS.ready} ready, waiting for the loop  ${MARKS.waiting} waiting  ${MARKS.thread} in a thread  `
    + `${CAPS.returned} returned  ${CAPS.raised} raised  ${CAPS.cancelled} cancelled`
  return [...lines, ...missing, scale, key, ''].join('\n')
}

function advance(track: Track, event: LoopEvent): void {
  switch (event.type) {
    case 'task.ready':
      turn(track, 'ready', event.t)
      break
    case 'task.running':
      turn(track, 'running', event.t)
      break
    case 'task.suspended':
      turn(track, event.on.kind === 'yield' ? 'ready' : event.on.kind === 'thread' ? 'thread' : 'waiting', event.t)
      break
    case 'task.finished':
      close(track, event.t)
      track.end = { t: event.t, mark: CAPS[event.outcome] }
      break
    default:
      break
  }
}

function turn(track: Track, state: State, t: number): void {
  track.spans.push({ state: track.state, from: track.since, to: t })
  track.state = state
  track.since = t
}

function close(track: Track, t: number): void {
  turn(track, 'none', t)
}

function row(track: Track, from: number, to: number, width: number): string {
  const scale = to > from ? width / (to - from) : 0
  const column = (t: number): number => Math.min(width - 1, Math.floor((t - from) * scale))
  const cells = new Array<State>(width).fill('none')
  // Later states overwrite earlier ones in a shared cell: a short step must stay visible.
  for (const state of ['waiting', 'thread', 'ready', 'running'] as const) {
    for (const span of track.spans) {
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
  if (track.end !== null) marks[column(track.end.t)] = track.end.mark
  return marks.join('')
}

function shorten(name: string): string {
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name
}
