// Which task waits for which, where every task waits.
import { NOW, type Recording } from '../recording.ts'
import { shortFile, waitLabel } from './explain.ts'
import { WAITING, type Lane } from './track.ts'

/** The most tasks that are named. */
const MOST_NAMED = 6

/** Waits that the host ends: something outside of the program may come. */
const FROM_OUTSIDE = new Set(['promise', 'receive', 'send'])

/**
 * "A waits for lock <Lock 2> in line 12; B waits for …", if each live task waits for something that only another task can do;
 * null otherwise. Whether a callback of the host could do it, events do not say.
 */
export function deadlock(recording: Recording): string | null {
  const tasks: string[] = []
  for (const id of recording.lanes.tasks.keys()) {
    const lane = recording.lanes.get(id)
    const span = lane?.at(NOW)
    if (lane === undefined || span == null) continue
    const on = span.info?.on
    if (span.state !== WAITING || on?.deadline !== undefined || FROM_OUTSIDE.has(on?.kind ?? '')) return null
    const first = on?.kind === 'gather' ? recording.lanes.get(on.task ?? 0) : undefined
    const what = first === undefined ? waitLabel(on, recording) : `${first.name} (${waitLabel(on, recording)})`
    tasks.push(`${lane.name} waits for ${what}${where(span.info?.location)}`)
  }
  if (tasks.length === 0) return null
  const others = tasks.length - MOST_NAMED
  return `${tasks.slice(0, MOST_NAMED).join('; ')}${others > 0 ? `; and ${others} more wait` : ''}.`
}

function where(location: Lane['location'] | undefined): string {
  return location == null ? '' : ` (${shortFile(location.file)}:${location.line})`
}
