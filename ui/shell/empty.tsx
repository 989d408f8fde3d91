// The messages over the lanes: while they are empty, while the page connects, and when the connection is lost.
import { clock } from '../recording/explain.ts'
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
          {reason.value === '' ? 'If the app itself serves this page, its loop may be blocked. The page reconnects by itself.' : `The reason: ${reason.value}.`}
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
  for (const lane of recording.lanes.values()) if (session.passes(lane)) return null
  const { text, state: wanted, run, request } = session.filter.value
  if (text !== '' || wanted !== '' || run !== null || request !== null) {
    return <div class="overlay"><h2>No task matches the filter</h2><p class="soft">The filter hides all {recording.lanes.size} tasks.</p></div>
  }
  if (loop !== null && loop.state !== 'live') return null
  const own = session.startsOn
  return (
    <div class="overlay">
      <h2>{own === null ? 'The loop is idle' : `${loop?.loop ?? 'This loop'} is idle`}</h2>
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
