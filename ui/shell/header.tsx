// The top line: the pages, the state of the connection, what the loop does now.
import { address, setAddress } from '../address.ts'
import { helpOpen } from '../keys.ts'
import { panelsIn } from '../panels.ts'
import { AMBER, RED } from '../recording/stalls.ts'
import { isInnocent, KIND_NAMES } from '../recording/stall-kind.ts'
import { milliseconds } from '../recording/time.ts'
import type { Session } from '../session.ts'
import { toggleTheme } from '../theme.ts'
import { percent } from '../timeline/paint-loop.ts'

export function Header({ session }: { session: Session }) {
  const view = address.value.get('view')
  const views = panelsIn('view', session)
  return (
    <header class="header">
      <a class="brand" href="#" onClick={(event) => { event.preventDefault(); setAddress({ view: null }, true) }} aria-label="loopscope, the live view">
        <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
          <path d="M25 16a9 9 0 1 1-3-6.7" fill="none" stroke="currentColor" stroke-width="3.2" stroke-linecap="round" />
          <path d="M25.6 4.6v6.6H19" fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" stroke-linejoin="round" />
          <circle cx="16" cy="16" r="3.1" class="brand-dot" />
        </svg>
        <span>loopscope</span>
      </a>
      <nav class="views" aria-label="Pages">
        <Page id={null} title="Live" current={view === null} />
        {views.map(({ id, title }) => <Page key={id} id={id} title={title} current={view === id} />)}
      </nav>
      {session.servedByApp && <div class="served" title="The observer serves the same page from a thread of its own: npm start prints its address">served by the loop itself: it stalls with it</div>}
      <LoopState session={session} />
      <ConnectionState session={session} />
      <div class="header-tools">
        <button type="button" class="icon-button" onClick={() => toggleTheme(session)} aria-label={session.dark.value ? 'Light colours' : 'Dark colours'} title="Dark or light (T)">{session.dark.value ? '☀' : '☾'}</button>
        <button type="button" class="icon-button" onClick={() => { helpOpen.value = true }} aria-label="Help" title="Help (?)">?</button>
      </div>
    </header>
  )
}

function Page({ id, title, current }: { id: string | null; title: string; current: boolean }) {
  return (
    <a href={id === null ? '#' : `#view=${id}`} aria-current={current ? 'page' : undefined}
      onClick={(event) => { event.preventDefault(); setAddress({ view: id }, true) }}>{title}</a>
  )
}

/** What the loop does, in one line that is always visible. */
function LoopState({ session }: { session: Session }) {
  void session.tick.value
  const { live } = session
  const now = session.liveNow()
  const { open } = live.stalls
  const tasks = live.lanes.tasks.size
  const shown = session.shownLoop.value
  if (shown !== null && shown.state !== 'live') return <div class="loop-state closed"><span class="dot" aria-hidden="true">◼</span> {shown.loop} is {shown.state}.</div>
  if (live.loopClosed) return <div class="loop-state closed"><span class="dot" aria-hidden="true">◼</span> The loop has closed.</div>
  const connected = session.connection.state.value
  if (connected === 'silent' || connected === 'lost') {
    const then = open !== null ? `${open.name} was blocking the loop, for ${milliseconds(Math.max(open.seconds, now - open.from))}` : `${tasks} ${tasks === 1 ? 'task' : 'tasks'}`
    return <div class="loop-state closed unknown"><span class="held"><span class="soft">last known:</span> {then}</span></div>
  }
  if (open !== null) {
    const seconds = Math.max(open.seconds, now - open.from)
    return (
      <div class={`loop-state ${seconds >= RED ? 'red' : seconds >= AMBER ? 'amber' : ''}`} role="alert">
        <span class="dot" aria-hidden="true">■</span> <span class="held">{isInnocent(open) && open.kind !== null ? <><b>{KIND_NAMES[open.kind]}</b>, the loop does not run</> : <><b>{open.name}</b> blocks the loop</>}</span> <span class="figure">{milliseconds(seconds)}</span>
      </div>
    )
  }
  if (session.can('tasks') !== true) {
    const stalls = live.stalls.all.length
    return <div class="loop-state"><span class="figure">{stalls}</span> <span class="soft">{stalls === 1 ? 'stall' : 'stalls'}</span></div>
  }
  const busy = live.lanes.steps.utilisation(now - 2, now)
  return (
    <div class="loop-state">
      <span class="soft">loop</span> <span class="figure">{percent(busy)}</span> <span class="soft">busy</span>
      <span class="sep" aria-hidden="true" /> <span class="figure">{tasks}</span> <span class="soft">{tasks === 1 ? 'task' : 'tasks'}</span>
    </div>
  )
}

const SIGNS = { live: '●', connecting: '◌', silent: '◌', lost: '✕' } as const

function ConnectionState({ session }: { session: Session }) {
  void session.tick.value
  const { state, retryAt, reason, dropped, silence, recorded } = session.connection
  const { malformed } = session.recording.value
  const text = { live: recorded.value === null ? 'live' : 'a recording', connecting: 'connecting', silent: 'silent', lost: 'connection lost' }[state.value]
  return (
    <div class={`connection ${state.value}`} title={reason.value === '' ? undefined : reason.value}>
      <span aria-hidden="true">{SIGNS[state.value]}</span> <span role="status">{text}</span>
      {silence > 0 && <span class="number"> · nothing heard for {Math.floor(silence)} s</span>}
      {dropped.value > 0 && <span class="soft"> · {dropped.value.toLocaleString('en-US')} lost</span>}
      {malformed > 0 && <span class="soft" title="These messages were not events of a loop, or were too large; they are left out"> · {malformed.toLocaleString('en-US')} unreadable</span>}
      {state.value === 'lost' && retryAt.value !== null && <button type="button" class="link-button" onClick={() => session.connection.retry()}>try now</button>}
    </div>
  )
}
