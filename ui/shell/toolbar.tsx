// The actions: run an example, stall the loop, pause and step, filter, export.
import { useEffect } from 'preact/hooks'
import { address, visits } from '../address.ts'
import { moment } from '../recording/time.ts'
import { NO_FILTER, type Session } from '../session.ts'
import { RunMenu } from './run-menu.tsx'
import { Tools } from './tools.tsx'

export function Toolbar({ session }: { session: Session }) {
  useEffect(() => followAddress(session), [visits.value])
  return (
    <div class="toolbar" role="toolbar" aria-label="Run, look, filter">
      <div class="group">
        {session.can('examples') === true && <RunMenu session={session} />}
        {session.can('stall') === true && (
          <button type="button" class="stall-button" disabled={session.stalling.value} onClick={() => void session.stall()}
            title="Call a blocking function on the loop's own thread for 2 s (X)">
            <span class="stall-sign" aria-hidden="true" />{session.stalling.value ? 'Stalling …' : 'Stall it'}
          </button>
        )}
        {session.startsOn !== null && <span class="chip" title="The loop of the server that serves this page">on {session.startsOn}</span>}
      </div>
      <Transport session={session} />
      {session.can('tasks') === true && <FilterFields session={session} />}
      <Tools session={session} />
    </div>
  )
}

function Transport({ session }: { session: Session }) {
  const following = session.follow.value
  const cursor = session.cursor.value
  const other = session.recording.value !== session.live
  return (
    <div class="group transport">
      <button type="button" class="icon-button" onClick={() => session.step(-1)} aria-label="One event back" title="One event back (,)">⇤</button>
      <button type="button" class="icon-button" onClick={() => session.step(1)} aria-label="One event forward" title="One event forward (.)">⇥</button>
      {other
        ? <><span class="chip">{session.title.value}</span><button type="button" class="button" onClick={() => session.showLive()}>Back to live</button></>
        : following
          ? <button type="button" class="button" onClick={() => session.pause()} title="Pause (Space)">❚❚ <span class="wide-only">Pause</span></button>
          : <button type="button" class="button accent" onClick={() => session.showLive()} title="Go live (L)">● Go live</button>}
      {cursor !== null && <CursorTime session={session} />}
    </div>
  )
}

function CursorTime({ session }: { session: Session }) {
  const cursor = session.cursor.value
  const recording = session.recording.value
  if (cursor === null) return null
  const event = recording.events[recording.indexAt(cursor.t)]
  const at = event === undefined || event.seq <= cursor.seq ? event : recording.events.find(({ seq }) => seq === cursor.seq)
  return <span class="cursor-time"><b>{moment(cursor.t - recording.zero, 6)}</b> <span class="soft">{at === undefined ? '' : `#${cursor.seq} ${at.type}`}</span></span>
}

function FilterFields({ session }: { session: Session }) {
  const filter = session.filter.value
  const set = (part: Partial<typeof filter>): void => { session.filter.value = { ...filter, ...part } }
  const active = filter.text !== '' || filter.state !== '' || filter.run !== null || filter.request !== null
  return (
    <div class="group filters">
      <input id="filter-text" type="search" placeholder="Filter  /" aria-label="Filter tasks by name or by what they wait for" value={filter.text}
        onInput={({ currentTarget }) => set({ text: currentTarget.value })} />
      <select aria-label="Filter by state" value={filter.state} onChange={({ currentTarget }) => set({ state: currentTarget.value })}>
        <option value="">any state</option>
        {['running', 'ready', 'waiting', 'in a thread', 'detached', 'ended'].map((state) => <option key={state} value={state}>{state}</option>)}
      </select>
      {filter.run !== null && <span class="chip">run {filter.run}</span>}
      {filter.request !== null && <span class="chip">request #{filter.request}</span>}
      {active && <button type="button" class="link-button" onClick={() => { session.filter.value = { ...NO_FILTER, own: filter.own } }}>clear</button>}
    </div>
  )
}

/** Shows what the address names, once that is possible: a run, or a stretch of time. Returns how to stop waiting for it. */
function followAddress(session: Session): (() => void) | undefined {
  const parts = address.peek()
  const run = Number(parts.get('run') ?? NaN)
  const from = Number(parts.get('from') ?? NaN)
  const to = Number(parts.get('to') ?? NaN)
  const named = Number.isSafeInteger(run) && run > 0
  if (!named && !(to > from)) {
    if (visits.peek() > 0 && session.filter.peek().run !== null) session.showAll()
    return
  }
  // The history has to be loaded first.
  let looks = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  const look = (): void => {
    const ready = session.connection.ready.peek()
    if (!ready && looks++ < 100) {
      timer = setTimeout(look, 50)
      return
    }
    if (named) void session.showRun(run)
    else if (session.live.from < to) {
      session.follow.value = false
      session.timeline?.show(from, to, false)
    }
  }
  look()
  return () => clearTimeout(timer)
}
