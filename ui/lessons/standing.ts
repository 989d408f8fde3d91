// Where tasks are in a source, at a moment: the line of each one's last suspension, from the events.
import { isOverdue, stallAt, waitLabel } from '../recording/explain.ts'
import { RUNNING, WAITING, THREAD, type Lane } from '../recording/track.ts'
import type { Position, Recording } from '../recording.ts'

/** The most lines with tasks, and the most tasks that are named at one of them. */
const MOST_LINES = 200
const MOST_NAMED = 5

export interface Standing {
  lane: Lane
  line: number
  /** The name of the function. */
  function: string
  /** "Task-1 waits for sleep". */
  text: string
  /** Whether it blocks the loop there. */
  holds: boolean
}

/** The tasks that are in a file, known by its path, at a position. `run`: only tasks of this run. */
export function standing(recording: Recording, position: Position, isFile: (path: string) => boolean, run: number | null = null, now = recording.to): Standing[] {
  const lines = new Map<number, { named: Standing[]; others: number }>()
  const t = position.t === Infinity ? now : position.t
  const stall = stallAt(recording, t)
  for (const lane of recording.lanes.values()) {
    if (lane.kind !== 'task' || (run !== null && lane.run !== run)) continue
    const span = lane.at(position)
    if (span === null) continue
    // A stall has the stack of its observer. Otherwise only the last suspension is known.
    const holds = stall !== null && stall.task === lane.id && span.state === RUNNING
    const place = (holds ? stall.stack.find((frame) => isFile(frame.file)) : undefined) ?? lastLocation(lane, position)
    if (place === null || !isFile(place.file)) continue
    const waits = (span.state === WAITING || span.state === THREAD) && !isOverdue(span, t)
    const doing = holds ? 'blocks the loop' : waits ? `waits for ${waitLabel(span.info?.on, recording)}` : span.state === RUNNING ? 'runs on from here' : 'is ready'
    let here = lines.get(place.line)
    if (here === undefined) {
      if (lines.size >= MOST_LINES) continue
      lines.set(place.line, here = { named: [], others: 0 })
    }
    // The task that blocks the loop is always named.
    if (here.named.length >= MOST_NAMED && !holds) here.others++
    else here.named.push({ lane, line: place.line, function: place.function, text: `${lane.name} ${doing}`, holds })
  }
  return [...lines.values()].flatMap(({ named, others }) => {
    const last = named.at(-1)
    return others === 0 || last === undefined ? named : [...named, { ...last, text: `${others} more`, holds: false }]
  })
}

/** Its last suspension at or before a position: a task that is ready or running has no later one yet. */
function lastLocation(lane: Lane, { t, seq }: Position): { file: string; line: number; function: string } | null {
  for (let at = lane.starts.length - 1; at >= 0; at--) {
    if ((lane.starts[at] as number) > t || (lane.seqs[at] as number) > seq) continue
    const location = lane.infos[at]?.location
    if (location !== undefined) return location
  }
  return null
}
