// What a run did, as texts in parts: its trace, its events as JSON lines, its timeline in characters. Each text shows the run
// at the time of the request.
import type { RunRecord } from '../run-log.ts'
import { draw } from './ascii-timeline.ts'
import { traceTexts } from './trace.ts'

export function textOf({ run, example, events }: RunRecord, what: 'run-trace' | 'run-events' | 'run-drawing'): Iterable<string> {
  const now = [...events]
  if (what === 'run-trace') return traceTexts(now, `example ${example}, run ${run}`)
  return what === 'run-events' ? linesOf(now) : [draw(now)]
}

function* linesOf(events: RunRecord['events']): Generator<string> {
  for (const event of events) yield `${JSON.stringify(event)}\n`
}
