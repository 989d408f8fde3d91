// The tasks as a tree, each with its state at the moment that is shown, and a button to cancel it.
import type { PanelContext } from '../panels.ts'
import { duration, isOverdue, waitLabel } from '../recording/explain.ts'
import { READY, WAITING, type Lane, type Span } from '../recording/track.ts'
import { STATE_CLASS, STATE_SIGN, STATE_WORD } from '../timeline/words.ts'

const MOST_ROWS = 300

export function TasksPanel({ session }: PanelContext) {
  void session.tick.value
  const recording = session.recording.value
  const { position, time } = session
  const rows: { lane: Lane; span: Span }[] = []
  let total = 0
  for (const lane of recording.lanes.ordered()) {
    if (!session.passes(lane)) continue
    const span = lane.at(position)
    if (span === null) continue
    total++
    if (rows.length < MOST_ROWS) rows.push({ lane, span })
  }
  if (rows.length === 0) return <p class="panel-empty">No task is alive at this moment.</p>
  return (
    <table class="grid">
      <thead><tr><th scope="col">Task</th><th scope="col">State</th><th scope="col" class="number">for</th><th scope="col">awaits</th><th scope="col">Coroutine</th><th scope="col"><span class="hidden">Cancel</span></th></tr></thead>
      <tbody>
        {rows.map(({ lane, span }) => {
          const state = isOverdue(span, time) ? READY : span.state
          const target = span.info?.on?.task === undefined ? undefined : recording.lanes.get(span.info.on.task)
          return (
            <tr key={lane.id} class={lane.id === session.selected.value ? 'selected' : ''} onClick={() => session.select(lane.id, true)}>
              <td class="tree" data-depth={Math.min(lane.depth, 8)}>
                <button type="button" class="row-button" onClick={(event) => { event.stopPropagation(); session.select(lane.id, true) }}>{lane.name}</button>
              </td>
              <td><span class={`state ${STATE_CLASS[state]}`}><span aria-hidden="true">{STATE_SIGN[state]}</span> {STATE_WORD[state].split(',')[0]}</span>{recording.lanes.isCancelling(lane) && session.cursor.value === null && <span class="chip">cancelling</span>}</td>
              <td class="number">{duration(Math.max(0, time - span.from))}</td>
              <td>{target !== undefined
                ? <button type="button" class="link-button" onClick={(event) => { event.stopPropagation(); session.select(target.id, true) }}>{target.name}</button>
                : span.state === WAITING ? waitLabel(span.info?.on, recording) : ''}</td>
              <td class="mono soft">{lane.coroutine}</td>
              <td class="actions">{lane.kind === 'task' && session.cursor.value === null && recording === session.live
                && <button type="button" class="small-button" onClick={(event) => { event.stopPropagation(); session.cancelTask(lane) }} aria-label={`Cancel ${lane.name}`}>cancel</button>}</td>
            </tr>
          )
        })}
      </tbody>
      {total > rows.length && <tfoot><tr><td colSpan={6} class="soft">and {total - rows.length} more: use the filter to see them</td></tr></tfoot>}
    </table>
  )
}
