// Above the lanes: how they are grouped, a search through them, and what a measured stretch of time contains.
import { signal } from '@preact/signals'
import { recall, remember } from '../theme.ts'
import { clock } from '../recording/explain.ts'
import { inWords, measure } from '../recording/measure.ts'
import type { Lane } from '../recording.ts'
import type { Session } from '../session.ts'
import { contains } from '../session/filter.ts'
import type { Grouping } from '../timeline/layout.ts'
import type { Stretch } from '../timeline/timeline.ts'

const GROUPINGS: readonly (readonly [Grouping, string])[] = [['alive', 'alive first'], ['route', 'group by route'], ['parent', 'group by parent']]

function remembered(): Grouping {
  const name = recall('grouping')
  return GROUPINGS.find(([grouping]) => grouping === name)?.[0] ?? 'alive'
}

export const grouping = signal<Grouping>(remembered())
/** The stretch that is measured. */
export const range = signal<Stretch | null>(null)
/** Where a stretch begins whose end is the cursor. */
export const mark = signal<number | null>(null)
const wanted = signal('')

function matches(session: Session, text: string): Lane[] {
  return [...session.recording.value.lanes.values()].filter((lane) => contains(lane, text) && session.passes(lane))
}

/** Selects the next lane that matches, or the one before; after the last comes the first. */
export function find(session: Session, step: 1 | -1): void {
  if (wanted.value === '') return
  const found = matches(session, wanted.value)
  const at = found.findIndex(({ id }) => id === session.selected.value)
  const from = session.timeline?.view.from ?? -Infinity
  const first = found.findIndex(({ begunAt, endedAt }) => begunAt >= from || endedAt === null)
  const next = found[at < 0 ? Math.max(0, first) : (at + step + found.length) % found.length]
  if (next !== undefined) session.timeline?.find(next)
}

/** Begins or ends a stretch at the cursor; without one, measures the selected task, or what the window shows. */
export function measureHere(session: Session): void {
  const { timeline } = session
  if (timeline === null) return
  const cursor = session.cursor.value
  const lane = session.selected.value === null ? undefined : session.recording.value.lanes.get(session.selected.value)
  if (mark.value !== null) mark.value = null
  else if (cursor !== null) {
    mark.value = cursor.t
    timeline.range = { from: cursor.t, to: cursor.t }
  } else if (lane !== undefined) timeline.range = { from: lane.begunAt, to: lane.endedAt ?? session.now() }
  else timeline.range = { from: timeline.view.from, to: Math.min(timeline.view.to, session.now()) }
}

export function clearRange(session: Session): void {
  mark.value = null
  if (session.timeline !== null) session.timeline.range = null
}

export function LaneBar({ session }: { session: Session }) {
  const text = wanted.value
  return (
    <div class="lane-bar">
      <select aria-label="Arrange the lanes" value={grouping.value} onChange={({ currentTarget }) => {
        grouping.value = currentTarget.value as Grouping
        remember('grouping', currentTarget.value)
      }}>{GROUPINGS.map(([name, title]) => <option key={name} value={name}>{title}</option>)}</select>
      <span class="find">
        <input id="find-text" type="search" placeholder="Find  G" aria-label="Find tasks; Enter for the next, Shift and Enter for the one before" value={text}
          onInput={({ currentTarget }) => { wanted.value = currentTarget.value }}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return
            event.preventDefault()
            find(session, event.shiftKey ? -1 : 1)
          }} />
        <button type="button" class="icon-button" disabled={text === ''} onClick={() => find(session, -1)} aria-label="The match before" title="The match before (Shift+Enter)">‹</button>
        <button type="button" class="icon-button" disabled={text === ''} onClick={() => find(session, 1)} aria-label="The next match" title="The next match (Enter)">›</button>
        {text !== '' && <Count session={session} text={text} />}
      </span>
      <button type="button" class="button" onClick={() => measureHere(session)} aria-pressed={mark.value !== null}
        title="From the cursor to where it is moved next; or the selected task; or what is shown. Or drag with Shift. (M)">
        {mark.value === null ? 'Measure' : 'End of the range'}
      </button>
      {range.value !== null && <Range session={session} range={range.value} />}
    </div>
  )
}

function Count({ session, text }: { session: Session; text: string }) {
  void session.tick.value
  const found = matches(session, text)
  const at = found.findIndex(({ id }) => id === session.selected.value)
  return <span class="soft" role="status">{found.length === 0 ? 'none' : at < 0 ? `${found.length.toLocaleString('en-US')} found` : `${at + 1} of ${found.length.toLocaleString('en-US')}`}</span>
}

function Range({ session, range: { from, to } }: { session: Session; range: Stretch }) {
  void session.tick.value
  return (
    <span class="range" role="status">
      {from === to ? `From ${clock(session.recording.value, from)}: move the cursor to the other end.` : inWords(measure(session.recording.value, from, to, session.now()))}{' '}
      <button type="button" class="link-button" onClick={() => session.timeline?.show(from, to)}>show it</button>{' '}
      <button type="button" class="link-button" onClick={() => clearRange(session)}>clear</button>
    </span>
  )
}
