// The lanes as a table: a row and a sentence for each task. It also serves screen readers.
import type { PanelContext } from '../panels.ts'
import { explain } from '../recording/explain.ts'
import { duration, moment } from '../recording/time.ts'
import { splitOf } from '../recording/track.ts'
import { blastRadius } from '../recording/stalls.ts'
import { percent } from '../timeline/paint-loop.ts'
import { TaskLink } from './parts.tsx'

const MOST_ROWS = 120

export function WordsPanel({ session }: PanelContext) {
  void session.tick.value
  void session.cursor.value
  const recording = session.recording.value
  const { position, time } = session
  const view = session.timeline?.view
  const from = Math.max(recording.from, view?.from ?? recording.from)
  const to = Math.min(time, view?.to ?? time)
  const lanes = recording.lanes.ordered().filter((lane) => session.passes(lane) && lane.begunAt <= to && (lane.endedAt ?? Infinity) >= from)
  const stalls = recording.stalls.all.filter((stall) => stall.from <= to && (stall.to ?? time) >= from)
  return (
    <div class="words">
      <p>
        From {moment(from - recording.zero)} to {moment(to - recording.zero)} the loop was busy for {percent(recording.lanes.steps.utilisation(from, to))} of the time,
        with {lanes.length} {lanes.length === 1 ? 'task' : 'tasks'} and {stalls.length === 0 ? 'no stall' : stalls.length === 1 ? 'one stall' : `${stalls.length} stalls`}.{' '}
        {stalls.slice(-5).map((stall) => `${blastRadius(stall, (stall.to ?? time) - stall.from)}. `).join('')}
      </p>
      <table class="grid">
        <caption class="hidden">What the lanes show, a row for each task</caption>
        <thead><tr><th scope="col">Task</th><th scope="col">Created by</th><th scope="col">Why isn’t it running?</th><th scope="col" class="number">running</th><th scope="col" class="number">ready</th><th scope="col" class="number">waiting</th><th scope="col" class="number">thread</th></tr></thead>
        <tbody>
          {lanes.slice(0, MOST_ROWS).map((lane) => {
            const split = splitOf(lane, from, Math.min(to, lane.endedAt ?? to))
            return (
              <tr key={lane.id}>
                <th scope="row" class="tree" data-depth={Math.min(lane.depth, 8)}><TaskLink session={session} task={lane.id} /></th>
                <td>{lane.parent?.name ?? ''}</td>
                <td class="wrap">{explain(recording, lane, position, time)}</td>
                <td class="number">{duration(split.run)}</td><td class="number">{duration(split.ready)}</td><td class="number">{duration(split.wait)}</td><td class="number">{duration(split.thread)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
      {lanes.length > MOST_ROWS && <p class="soft">and {lanes.length - MOST_ROWS} more: use the filter to see them</p>}
    </div>
  )
}
