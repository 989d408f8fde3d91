// The list of loops, if there is more than one: the state of each, what blocks it, and which is shown.
import type { LoopInfo } from '../../src/events/schema.ts'
import { duration } from '../recording/explain.ts'
import { milliseconds } from '../recording/time.ts'
import type { Session } from '../session.ts'
import { percent } from '../timeline/paint-loop.ts'

const SIGNS = { live: '●', blocked: '■', lost: '✕', closed: '◼', unknown: '?' } as const

/** The state of a loop, in a word. */
export function stateOf({ state, blocked }: LoopInfo): keyof typeof SIGNS {
  return state === 'live' && blocked !== null ? 'blocked' : state
}

/** The time since then, as text. */
export function ago(iso: string): string {
  const seconds = Math.max(0, (Date.now() - Date.parse(iso)) / 1000)
  if (seconds < 90) return `${Math.round(seconds)} s`
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`
}

function wordsOf(info: LoopInfo): string {
  const { blocked, tasks, utilization, since } = info
  switch (stateOf(info)) {
    case 'blocked': return `blocked by ${blocked?.name ?? ''}, ${milliseconds(blocked?.seconds ?? 0)}`
    case 'lost': return `lost for ${ago(since)}`
    case 'closed': return `closed ${ago(since)} ago`
    case 'unknown': return 'unknown'
    default: return `${tasks} ${tasks === 1 ? 'task' : 'tasks'} · ${percent(utilization)} busy`
  }
}

export function LoopBar({ session }: { session: Session }) {
  const list = session.loops.list.value
  if (list === null || !session.loops.several) return null
  const flashing = session.loops.flashing.value
  const shown = session.shownLoop.value
  const connected = session.connection.state.value
  const stale = connected === 'silent' || connected === 'lost'
  const trouble = list.loops.filter((info) => !['live', 'closed'].includes(stateOf(info)))
  return (
    <nav class="loops" aria-label="Event loops">
      {list.loops.map((info) => {
        const { loop, self, host, pid, stalls, blocked } = info
        const state = stateOf(info)
        return (
          <button
            type="button" key={loop} class={`loop ${state} ${flashing.has(loop) ? 'flash' : ''}`} aria-pressed={loop === shown?.loop} onClick={() => session.look(loop)}
            title={`${loop}: process ${pid} on ${host}${self ? ', which serves this page' : ''}${blocked === null ? '' : `. ${blocked.name} has blocked it for ${duration(blocked.seconds)}`}`}
          >
            <span class="sign" aria-hidden="true">{SIGNS[state]}</span>
            <b>{loop}</b>{self && <span class="chip">this page</span>}
            <span class="words">{wordsOf(info)}</span>
            {stalls > 0 && <span class="badge" title={`${stalls} stalls so far`}>{stalls}<span class="hidden"> {stalls === 1 ? 'stall' : 'stalls'}</span></span>}
          </button>
        )
      })}
      {stale && <span class="away">last known state</span>}
      {list.redis?.state === 'away' && <span class="away"><span aria-hidden="true">✕</span> Redis has been away for {ago(list.redis.since)}: the state of the other loops is unknown</span>}
      <span class="hidden" role="status">{trouble.map((info) => `${info.loop} is ${stateOf(info)}`).join(', ')}</span>
    </nav>
  )
}

/** Shown over the lanes of a loop that has ended or cannot be reached. */
export function Gone({ session }: { session: Session }) {
  const name = session.loop.value
  const info = session.shownLoop.value
  if (session.recording.value !== session.live || (info !== null && session.connection.state.value === 'lost')) return null
  if (info === null) {
    if (name === null || session.loops.list.value === null) return null
    return (
      <div class="overlay corner" role="status">
        <h2><span class="big-sign bad" aria-hidden="true">?</span> There is no loop {name}</h2>
        <p>The known {session.loops.several ? 'loops are' : 'loop is'} {session.loops.list.value.loops.map(({ loop }) => loop).join(', ')}.</p>
        <p><button type="button" class="button accent" onClick={() => session.look(null)}>Show the loop of this page</button></p>
      </div>
    )
  }
  if (info.state === 'live') return null
  const at = new Date(info.since).toLocaleTimeString()
  const what = {
    lost: `Its process died${session.loops.list.value?.redis == null ? '' : ', or lost Redis,'} at ${at}, ${ago(info.since)} ago. The lanes show its last known state.`,
    closed: `It closed normally at ${at}, ${ago(info.since)} ago. The lanes show its last state.`,
    unknown: `Redis has been away since ${at}, so the state of this loop is unknown. The lanes show its last known state.`,
  }[info.state]
  return (
    <div class={`overlay corner ${info.state}`} role="status">
      <h2><span class={`big-sign ${info.state === 'lost' ? 'bad' : ''}`} aria-hidden="true">{SIGNS[info.state]}</span> {info.loop} is {info.state}</h2>
      <p>{what}</p>
    </div>
  )
}
