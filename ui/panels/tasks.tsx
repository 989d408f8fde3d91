// The tasks at the moment that is shown, as a task manager shows them: as a tree, or by what each has cost. A button cancels.
import { signal } from '@preact/signals'
import type { PanelContext } from '../panels.ts'
import { duration, isOverdue, waitLabel } from '../recording/explain.ts'
import { BOUNDS, sortBy, tallyOf, type Column, type Tally } from '../recording/tally.ts'
import { READY, WAITING, type Lane, type Span } from '../recording/track.ts'
import type { Session } from '../session.ts'
import { CAP_GLYPH, STATE_CLASS, STATE_SIGN, STATE_WORD } from '../timeline/words.ts'

const MOST_ROWS = 200

const COLUMNS: readonly { column: Column; title: string; number?: true; about: string }[] = [
  { column: 'tree', title: 'Task', about: 'each below the one that created it' },
  { column: 'state', title: 'for', number: true, about: 'by the time in this state' },
  { column: 'run', title: 'busy', number: true, about: 'by the time in which it ran on the loop' },
  { column: 'steps', title: 'steps', number: true, about: 'by how often it ran' },
  { column: 'longest', title: 'longest step', number: true, about: 'by its longest step' },
  { column: 'ready', title: 'ready', number: true, about: 'by the time in which it waited for the loop' },
  { column: 'wait', title: 'waiting', number: true, about: 'by the time in which it had yielded' },
]

const order = signal<{ column: Column; upwards: boolean }>({ column: 'tree', upwards: false })
const endedToo = signal(false)

interface Row {
  lane: Lane
  /** null: it has ended. */
  span: Span | null
  since: number
  tally: Tally
}

export function TasksPanel({ session }: PanelContext) {
  void session.tick.value
  const recording = session.recording.value
  const { position, time } = session
  const { column, upwards } = order.value
  const found: { lane: Lane; span: Span | null }[] = []
  for (const lane of recording.lanes.ordered()) {
    if (!session.passes(lane)) continue
    const span = lane.at(position)
    if (span !== null || (endedToo.value && lane.endedAt !== null && lane.endedAt <= time)) found.push({ lane, span })
  }
  const rowOf = ({ lane, span }: typeof found[number]): Row => ({ lane, span, since: span?.from ?? lane.endedAt ?? time, tally: tallyOf(lane, time) })
  // In the order of the tree, only what is shown is counted.
  const rows = column === 'tree' ? (upwards ? found.slice(-MOST_ROWS).reverse() : found.slice(0, MOST_ROWS)).map(rowOf) : sortBy(found.map(rowOf), column, upwards).slice(0, MOST_ROWS)
  return (
    <>
      <p class="table-options"><label><input type="checkbox" checked={endedToo.value} onChange={({ currentTarget }) => { endedToo.value = currentTarget.checked }} /> ended tasks too</label></p>
      {rows.length === 0 ? <p class="panel-empty">No task is alive at this moment.</p> : (
        <table class="grid">
          <thead><tr>
            <Heading of={COLUMNS[0]!} />
            <th scope="col">State</th>
            <Heading of={COLUMNS[1]!} />
            <th scope="col">awaits</th>
            {COLUMNS.slice(2).map((of) => <Heading key={of.column} of={of} />)}
            <th scope="col">steps by length</th>
            <th scope="col">Coroutine</th><th scope="col"><span class="hidden">Cancel</span></th>
          </tr></thead>
          <tbody>{rows.map((row) => <TaskRow key={row.lane.id} session={session} row={row} time={time} flat={column !== 'tree'} />)}</tbody>
          {found.length > rows.length && <tfoot><tr><td colSpan={12} class="soft">and {(found.length - rows.length).toLocaleString('en-US')} more: use the filter to see them</td></tr></tfoot>}
        </table>
      )}
    </>
  )
}

function Heading({ of: { column, title, number, about } }: { of: typeof COLUMNS[number] }) {
  const { column: sorted, upwards } = order.value
  const here = sorted === column
  return (
    <th scope="col" class={number === true ? 'number' : ''} aria-sort={!here ? 'none' : upwards ? 'ascending' : 'descending'}>
      <button type="button" class="sort" title={about} onClick={() => { order.value = { column, upwards: here && !upwards } }}>{title}<span aria-hidden="true">{!here ? '' : upwards ? ' ▲' : ' ▼'}</span></button>
    </th>
  )
}

function TaskRow({ session, row: { lane, span, since, tally }, time, flat }: { session: Session; row: Row; time: number; flat: boolean }) {
  const recording = session.recording.value
  const state = span === null ? null : isOverdue(span, time) ? READY : span.state
  const target = span?.info?.on?.task === undefined ? undefined : recording.lanes.get(span.info.on.task)
  const live = session.cursor.value === null && recording === session.live
  return (
    <tr class={lane.id === session.selected.value ? 'selected' : ''} onClick={() => session.select(lane.id, true)}>
      <td class="tree" data-depth={flat ? 0 : Math.min(lane.depth, 8)}>
        <button type="button" class="row-button" onClick={(event) => { event.stopPropagation(); session.select(lane.id, true) }}>{lane.name}</button>
      </td>
      <td>{state === null
        ? <span class="state"><span aria-hidden="true">{lane.outcome === null ? '' : CAP_GLYPH[lane.outcome]}</span> {lane.outcome ?? 'ended'}</span>
        : <span class={`state ${STATE_CLASS[state]}`}><span aria-hidden="true">{STATE_SIGN[state]}</span> {STATE_WORD[state].split(',')[0]}</span>}
      {recording.lanes.isCancelling(lane) && session.cursor.value === null && <span class="chip">cancelling</span>}</td>
      <td class="number">{duration(Math.max(0, time - since))}</td>
      <td>{target !== undefined
        ? <button type="button" class="link-button" onClick={(event) => { event.stopPropagation(); session.select(target.id, true) }}>{target.name}</button>
        : span?.state === WAITING ? waitLabel(span.info?.on, recording) : ''}</td>
      <td class="number">{duration(tally.run)}</td>
      <td class="number">{tally.steps.toLocaleString('en-US')}</td>
      <td class="number">{duration(tally.longest)}</td>
      <td class="number">{duration(tally.ready)}</td>
      <td class="number">{duration(tally.wait)}</td>
      <td><Histogram counts={tally.histogram} /></td>
      <td class="mono soft">{lane.coroutine}</td>
      <td class="actions">{lane.kind === 'task' && span !== null && live
        && <button type="button" class="small-button" onClick={(event) => { event.stopPropagation(); session.cancelTask(lane) }} aria-label={`Cancel ${lane.name}`}>cancel</button>}</td>
    </tr>
  )
}

const BAR = 8
const TALL = 14

/** How many steps took how long, as bars, and as a text. The height of a bar is logarithmic, so that one long step is visible. */
function Histogram({ counts }: { counts: readonly number[] }) {
  const most = Math.max(...counts)
  if (most === 0) return null
  const words = counts.flatMap((count, at) => count === 0 ? [] : [`${count.toLocaleString('en-US')} ${at < BOUNDS.length ? `under ${duration(BOUNDS[at] as number)}` : `of ${duration(BOUNDS.at(-1) as number)} or more`}`]).join(', ')
  const tall = (count: number): number => count === 0 ? 0 : Math.max(2, Math.round(Math.log2(count + 1) / Math.log2(most + 1) * TALL))
  return (
    <svg class="histogram" role="img" aria-label={words} viewBox={`0 0 ${counts.length * BAR} ${TALL}`} width={counts.length * BAR} height={TALL}>
      <title>{words}</title>
      <path d={`M0 ${TALL - 0.5}H${counts.length * BAR}`} class="base" />
      <path d={counts.map((count, at) => count === 0 ? '' : `M${at * BAR} ${TALL}v${-tall(count)}h${BAR - 1}v${tall(count)}z`).join('')} />
    </svg>
  )
}
