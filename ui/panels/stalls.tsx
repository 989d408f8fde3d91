// Every stall: what blocked the loop, where, for how long, and what it delayed.
import { useSignal } from '@preact/signals'
import type { PanelContext } from '../panels.ts'
import { duration, place } from '../recording/explain.ts'
import { AMBER, blameOf, blastRadius, RED, victimsAt, type Stall } from '../recording/stalls.ts'
import { milliseconds } from '../recording/time.ts'
import { isInnocent, KIND_NAMES, kindText } from '../recording/stall-kind.ts'
import type { Session } from '../session.ts'
import { Flame } from './flame.tsx'
import { Moment, TaskLink } from './parts.tsx'

const MOST_ROWS = 100
const MOST_VICTIMS = 30
const MOST_OWN = 5

export function stallsOf(context: PanelContext): Stall[] {
  const recording = context.session.recording.value
  const { time } = context.session
  return recording.stalls.all.filter(({ from, to, seconds }) => from <= time && (to === null || Math.max(seconds, to - from) >= AMBER))
}

export function StallsPanel(context: PanelContext) {
  const { session } = context
  void session.tick.value
  const open = useSignal<number | null>(null)
  const stalls = stallsOf(context).reverse()
  const taskOf = (request: number | undefined): number | null => request === undefined ? null : session.recording.value.requests.get(request)?.task ?? null
  if (stalls.length === 0) {
    return (
      <p class="panel-empty">
        Nothing has blocked {session.can('tasks') === true ? 'the loop' : 'the thread'} for 50 ms or more.{' '}
        {session.can('stall') === true && <><button type="button" class="stall-button" disabled={session.stalling.value} onClick={() => void session.stall()}><span class="stall-sign" aria-hidden="true" />Stall it</button>{' '}
        calls a blocking function on the loop’s own thread; from a terminal: <code>{session.api.curl('/handlers/sync?thread=inline&ms=2000')}</code></>}
      </p>
    )
  }
  return (
    <ol class="stall-list">
      {stalls.slice(0, MOST_ROWS).map((stall) => {
        const seconds = (stall.to ?? session.time) - stall.from
        const victims = stall.to === null ? victimsAt(stall, session.time, session.recording.value) : stall.victims
        const more = victims.length + (stall.to === null ? 0 : stall.others) - MOST_VICTIMS
        const innocent = isInnocent(stall)
        const culprit = blameOf(stall)
        const shown = open.value === stall.id || (open.value === null && stall === stalls[0])
        return (
          <li key={stall.id} class={seconds >= RED ? 'red' : 'amber'}>
            <button type="button" class="stall-head" aria-expanded={shown} onClick={() => {
              open.value = shown ? -1 : stall.id
              const pad = Math.max(0.02, seconds * 0.2)
              session.timeline?.show(stall.from - pad, stall.from + seconds + pad)
            }}>
              <span class="sign" aria-hidden="true">{stall.to === null ? '■' : seconds >= RED ? '▰' : '▱'}</span>
              <span class="stall-text"><b>{blastRadius(stall, seconds)}</b>{culprit !== null && <span class="soft"> in <code>{place(culprit)}</code></span>}</span>
              <span class="figure">{milliseconds(seconds)}</span>
            </button>
            {shown && (
              <div class="stall-more">
                <p class="soft">From <Moment session={session} t={stall.from} /> to {stall.to === null ? 'now' : <Moment session={session} t={stall.to} />}, {innocent ? 'while this ran:' : 'by'} <TaskLink session={session} task={stall.task} name={stall.name} />. This is a stall of the loop: it delayed everything on the loop. A busy worker thread delays only the calls that need this thread.</p>
                {stall.kind !== null && <p class="stall-kind"><b>{KIND_NAMES[stall.kind]}.</b> {kindText(stall.kind, stall.figures, seconds)}</p>}
                <div class="stall-columns">
                  {stall.shares.length > 0 && <Shares stall={stall} />}
                  {stall.stack.length > 0 && <div><h4>Stack</h4><ol class="stack">{stall.stack.slice(0, 12).map((frame, at) => <li key={at} class={frame === culprit ? 'culprit' : ''}><code>{place(frame)}</code></li>)}</ol></div>}
                  <div>
                    <h4>{stall.to === null ? 'Delayed so far' : 'Delayed'}</h4>
                    {victims.length === 0 && <p class="soft">{stall.blind ? 'Everything else on this thread. What that was is not known: the program has no loopscope tasks.' : 'It delayed no task.'}</p>}
                    <ol class="victims">{victims.slice(0, MOST_VICTIMS).map((victim, at) => (
                      <li key={at}><span class="loss" style={{ width: `${Math.min(100, victim.seconds / Math.max(1e-9, seconds) * 100)}%` }} /><TaskLink session={session} task={victim.task ?? taskOf(victim.request)} name={victim.name} /> <span class="number">{duration(victim.seconds)}</span></li>
                    ))}</ol>
                    {stall.to === null && <p class="soft">Requests that arrive during the stall are not read yet; they are counted when it is over.</p>}
                    {victims.some(({ task }) => task === undefined) && <p class="soft">The delay of a request is an upper bound: the request arrived during the stall, and when exactly is not known.</p>}
                    <OfPage session={session} stall={stall} />
                    {more > 0 && <p class="soft">and {more} more</p>}
                  </div>
                </div>
              </div>
            )}
          </li>
        )
      })}
    </ol>
  )
}

/** The lines that took most of the time, and the flame graph. */
function Shares({ stall: { shares, flame, seconds } }: { stall: Stall }) {
  return (
    <div class="stall-shares">
      <h4>Where the time went</h4>
      <ol class="victims">{shares.map((share, at) => (
        <li key={at}><span class="loss" style={{ width: `${Math.min(100, share.seconds / Math.max(1e-9, seconds) * 100)}%` }} /><code>{share.native === true && 'native code in '}{place({ ...share, column: 0 })}</code> <span class="number">{Math.round(share.seconds / Math.max(1e-9, seconds) * 100)} %, {milliseconds(share.seconds)}</span></li>
      ))}</ol>
      <Flame flame={flame} />
    </div>
  )
}

/** The page's own requests: when they left. They are not counted, because the page only watches. */
function OfPage({ session, stall }: { session: Session; stall: Stall }) {
  void session.tick.value
  const live = stall.to === null && session.recording.value === session.live
  const sent = live ? session.api.unanswered(session.time) : session.recording.value.requests.ofPage(stall)
  if (sent.length === 0) return null
  return (
    <p class="soft">Not counted, because the page only watches: {sent.slice(0, MOST_OWN).map(({ what, left }, at) => (
      <span key={at}>{at > 0 && ', '}<code>{what}</code>, {live ? 'sent' : 'which left the page'} at <Moment session={session} t={left} /></span>
    ))}{sent.length > MOST_OWN && ` and ${sent.length - MOST_OWN} more`}.</p>
  )
}
