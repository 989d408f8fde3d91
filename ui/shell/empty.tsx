// The messages over the lanes: while they are empty, while the page connects, and when the connection is lost.
import { clock } from '../recording/explain.ts'
import type { Ability } from '../../src/events/schema.ts'
import { setAddress } from '../address.ts'
import type { Panel } from '../panels.ts'
import type { Session } from '../session.ts'
import { Key } from './key.tsx'

export function Empty({ session }: { session: Session }) {
  void session.tick.value
  const { state, retryAt, reason, silence } = session.connection
  const recording = session.recording.value
  const loop = session.shownLoop.value
  if (recording !== session.live || (loop === null && session.loop.value !== null && session.loops.list.value !== null)) return null
  if (state.value === 'lost') {
    const left = retryAt.value === null ? null : Math.max(0, Math.ceil((retryAt.value - performance.now()) / 1000))
    return (
      <div class="overlay corner" role="status">
        <h2><span class="big-sign bad" aria-hidden="true">✕</span> The connection is lost</h2>
        <p>
          {recording.empty ? 'The server does not answer. ' : 'The lanes show the last known state. '}
          {reason.value === '' ? `${session.servedByApp ? 'The app itself serves this page, so its loop may be blocked. ' : ''}The page reconnects by itself.` : `The reason: ${reason.value}.`}
        </p>
        <p><button type="button" class="button accent" onClick={() => session.connection.retry()}>Try now</button> <span class="soft">{left === null ? 'trying …' : `next try in ${left} s`}</span></p>
      </div>
    )
  }
  if (state.value === 'silent') {
    return (
      <div class="overlay corner silent">
        <h2><span class="big-sign" aria-hidden="true">◌</span> Nothing heard for {Math.floor(silence)} s</h2>
        <p role="status">
          {session.servedByApp
            ? 'The app itself serves this page: its loop may be blocked, or the network is interrupted. '
            : 'The connection is open, but nothing arrives, not even the sign of life that comes every second: the network is interrupted, or the machine is stopped. '}
          What happens on the loop is not known. The lanes end at {clock(recording, session.liveNow())}, when something last arrived.
        </p>
        <p><button type="button" class="button accent" onClick={() => session.connection.retry()}>Connect again</button></p>
      </div>
    )
  }
  if (state.value === 'connecting' && recording.empty) {
    const text = silence > 0 ? `The server has not answered for ${Math.floor(silence)} s …` : 'Loading the history …'
    return <div class="overlay" role="status"><div class="loading" aria-hidden="true"><i /><i /><i /></div><p class="soft">{text}</p></div>
  }
  if (session.can('tasks') === undefined) return null
  if (session.can('tasks') === false) return <NoTasks session={session} />
  for (const lane of recording.lanes.values()) if (session.passes(lane)) return null
  const { text, state: wanted, run, request } = session.filter.value
  if (text !== '' || wanted !== '' || run !== null || request !== null) {
    return <div class="overlay"><h2>No task matches the filter</h2><p class="soft">The filter hides all {recording.lanes.size} tasks.</p></div>
  }
  // A stall is what the lanes are for: nothing covers it.
  if ((loop !== null && loop.state !== 'live') || stallInView(session)) return null
  const own = session.startsOn
  const idle = own === null ? 'The loop is idle' : `${loop?.loop ?? 'This loop'} is idle`
  if (session.can('examples') !== true || session.can('stall') !== true) {
    return (
      <div class="overlay">
        <h2>{idle}</h2>
        <p>There is no task to show now. Each task has a row here from its beginning on{session.can('requests') === true && ', and so has each request that a coroutine serves'}.</p>
        <Key short />
      </div>
    )
  }
  return (
    <div class="overlay">
      <h2>{idle}</h2>
      <p>There is no task to show. Press one of these, and watch{own === null ? '' : ` what it does on ${own}, the loop that serves this page`}.</p>
      <div class="choices">
        <button type="button" class="choice" onClick={() => void session.start(3)}>
          <kbd>3</kbd><b>Run example 3</b><span class="soft">Two tasks that wait at the same time: three seconds, not six</span>
        </button>
        <button type="button" class="choice" onClick={() => void session.start(4)}>
          <kbd>4</kbd><b>Run example 4</b><span class="soft">The same with a blocking call: the waits add up</span>
        </button>
        <button type="button" class="choice bad" onClick={() => void session.stallARun()}>
          <b>Stall the loop</b><span class="soft">Example 5 runs, and a blocking call blocks the loop for two seconds: see what blocks it, and what is delayed</span>
        </button>
      </div>
      <Key short />
    </div>
  )
}

/** Whether the lanes show a stall now. */
function stallInView({ recording: { value: { stalls } }, timeline }: Session): boolean {
  const from = timeline?.view.from ?? -Infinity
  const to = timeline?.view.to ?? Infinity
  return stalls.open !== null || stalls.all.some((stall) => stall.from <= to && (stall.to ?? Infinity) >= from)
}

/** A program that only shows its stalls. */
function NoTasks({ session }: { session: Session }) {
  // Preact skips this component unless it reads the signal itself.
  void session.tick.value
  if (session.recording.value.stalls.all.length > 0) {
    return <p class="overlay foot">This program has no loopscope tasks: its stalls are shown here.</p>
  }
  return (
    <div class="overlay">
      <h2>No stall so far</h2>
      <p>This program has no loopscope tasks: its stalls are shown here. Whatever blocks its thread for 50 ms or more is drawn as a band, with the line of the source that blocks.</p>
      <p>Tasks are shown as well in programs that run coroutines with <code>loopscope</code>, or serve them with <code>loopscope/fastify</code>.</p>
    </div>
  )
}

/** In the place of a page that this program has nothing for. */
export function NotHere({ session, panel: { title, needs } }: { session: Session; panel: Panel }) {
  if (needs === undefined || session.can(needs) === undefined) return <div class="view" />
  return (
    <div class="view not-here">
      <h2>{title} is not available here</h2>
      <p>{WHY[needs]}</p>
      <p><a class="button" href="#" onClick={(event) => { event.preventDefault(); setAddress({ view: null }, true) }}>Go to the live view</a></p>
    </div>
  )
}

const WHY: Record<Ability, string> = {
  tasks: 'This program has no loopscope tasks.',
  requests: 'This program does not report its requests: the Fastify plugin does.',
  examples: 'It runs loopscope’s examples, which only loopscope’s own server has: npm start in a checkout of the project.',
  stall: 'It blocks the loop on purpose, which only loopscope’s own server does.',
  lab: 'It measures loopscope’s own server, which this program is not: npm start in a checkout of the project.',
}
