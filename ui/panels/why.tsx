// The selected task: why it is not running, in one sentence, and its details.
import type { ComponentChildren } from 'preact'
import type { PanelContext } from '../panels.ts'
import { duration, explain, isOverdue, messageText, place, stallAt, waitLabel } from '../recording/explain.ts'
import { READY, splitOf, type Lane } from '../recording/track.ts'
import { blameOf, blastRadius } from '../recording/stalls.ts'
import { copy } from '../shell/run-menu.tsx'
import { STATE_CLASS, STATE_SIGN, STATE_WORD } from '../timeline/words.ts'
import { paths } from '../../src/http/paths.ts'
import type { Session } from '../session.ts'
import { Fact, Moment, SplitBar, TaskLink } from './parts.tsx'
import type { View } from '../session/view.ts'

const MOST_STEPS = 60
/** The most tasks in a list to choose from: the latest. */
const MOST_CHOICES = 200

export function WhyPanel({ session }: PanelContext) {
  void session.tick.value
  const recording = session.recording.value
  const lane = session.selected.value === null ? undefined : recording.lanes.get(session.selected.value)
  if (lane === undefined) return <NoTask session={session} />
  const live = recording === session.live && lane.endedAt === null && lane.kind === 'task'
  const cancelling = recording.lanes.isCancelling(lane)
  return (
    <Why view={session} lane={lane}>
      {live && <button type="button" class="button" disabled={cancelling} onClick={() => session.cancelTask(lane)}>{cancelling ? 'Cancelling …' : 'Cancel it'}</button>}
      <ShowAll view={session} lane={lane} />
      {lane.run !== null && <button type="button" class="button" onClick={() => void session.showRun(lane.run as number)}>Only run {lane.run}</button>}
      {lane.kind === 'task' && <button type="button" class="button" onClick={() => void copy(session, session.api.curl(session.api.ofLoop(`${paths.events}?task=${lane.id}`), '-N'))}>curl</button>}
    </Why>
  )
}

/** The panel beside lanes that are not the session's. Its list has the tasks that pass, for use without the lanes. */
export function WhyBeside({ view, passes = () => true, label = 'Why?' }: { view: View; passes?: (lane: Lane) => boolean; label?: string }) {
  void view.tick.value
  const { lanes } = view.recording.value
  const lane = view.selected.value === null ? undefined : lanes.get(view.selected.value)
  const choices = lanes.ordered().filter(passes).slice(-MOST_CHOICES)
  if (lane !== undefined && !choices.includes(lane)) choices.push(lane)
  return (
    <aside class="why-beside" aria-label={label}>
      <label class="why-choice"><span class="soft">Task</span>{' '}
        <select value={lane === undefined ? '' : String(lane.id)} onChange={({ currentTarget }) => view.select(currentTarget.value === '' ? null : Number(currentTarget.value), true)}>
          <option value="">Select a task</option>
          {choices.map(({ id, name }) => <option key={id} value={String(id)}>{name}</option>)}
        </select>
      </label>
      {lane === undefined
        ? <p class="soft why-hint">Select a task here or in the lanes. One sentence then says what it waits for, and what can wake it, at any moment.</p>
        : <Why view={view} lane={lane}><ShowAll view={view} lane={lane} /></Why>}
    </aside>
  )
}

function ShowAll({ view, lane }: { view: View; lane: Lane }) {
  const end = lane.endedAt ?? view.now()
  const pad = Math.max(1e-6, (end - lane.begunAt) * 0.05)
  return <button type="button" class="button" onClick={() => view.timeline?.show(lane.begunAt - pad, end + pad)}>Show all of it</button>
}

/** Why a task is not running, and its details; `children` are buttons. */
function Why({ view, lane, children }: { view: View; lane: Lane; children: ComponentChildren }) {
  const recording = view.recording.value
  const { position, time } = view
  const span = lane.at({ t: time, seq: position.seq })
  const state = span === null ? null : isOverdue(span, time) ? READY : span.state
  const end = Math.min(lane.endedAt ?? time, Math.max(time, lane.createdAt))
  const split = splitOf(lane, lane.begunAt, end)
  const total = Math.max(1e-9, split.run + split.ready + split.wait + split.thread)
  return (
    <div class="why">
      <header>
        <h2>{lane.name}</h2>
        {state !== null && <span class={`state ${STATE_CLASS[state]}`}><span aria-hidden="true">{STATE_SIGN[state]}</span> {STATE_WORD[state].split(',')[0]}</span>}
      </header>
      <h3>Why isn’t it running?</h3>
      <p class={`sentence ${state === null ? 'ended' : STATE_CLASS[state]}`} aria-live="polite">{explain(recording, lane, position, time)}</p>
      <div class="why-actions">{children}</div>
      <SplitBar split={split} scale={1 / total} />
      <dl class="facts">
        <Fact name="running">{duration(split.run)}</Fact>
        <Fact name="ready">{duration(split.ready)}</Fact>
        <Fact name="waiting">{duration(split.wait)}</Fact>
        {split.thread > 0 && <Fact name="in a thread">{duration(split.thread)}</Fact>}
        {lane.kind === 'task' && <Fact name="task">{lane.id}</Fact>}
        {lane.coroutine !== '' && <Fact name={lane.kind === 'task' ? 'coroutine' : 'thread'}><code>{lane.coroutine}</code></Fact>}
        {lane.parent !== null && <Fact name="created by"><TaskLink session={view} task={lane.parent.id} /></Fact>}
        <Fact name="created at">{lane.partial ? 'before the recording began' : <Moment session={view} t={lane.createdAt} seq={lane.createdSeq} />}</Fact>
        {lane.location !== null && <Fact name="created in"><code>{place(lane.location)}</code></Fact>}
        {span?.info?.location !== undefined && <Fact name="suspended in"><code>{place(span.info.location)}</code></Fact>}
        {lane.error !== null && <Fact name="raised"><code>{lane.error}</code></Fact>}
      </dl>
      <Awaited lane={lane} session={view} />
      <Messages lane={lane} session={view} />
      <History lane={lane} session={view} />
    </div>
  )
}

/** The tasks that await this one now. */
function Awaited({ lane, session }: { lane: Lane; session: View }) {
  void session.tick.value
  const { recording, position } = session
  const who: Lane[] = []
  for (const other of recording.value.lanes.values()) {
    const span = other.endedAt === null || position.t !== Infinity ? other.at(position) : null
    if (span?.info?.on?.task === lane.id && span.state === 2) who.push(other)
    if (who.length >= 8) break
  }
  if (who.length === 0) return null
  return <p class="soft">Awaited by {who.map((other, at) => <span key={other.id}>{at > 0 && ', '}<TaskLink session={session} task={other.id} /></span>)}</p>
}

/** What an application and its server have said to each other, the latest message first. */
function Messages({ lane, session }: { lane: Lane; session: View }) {
  const messages = lane.marks.filter((mark) => mark.type === 'request.message')
  if (messages.length === 0) return null
  return (
    <>
      <h3>Messages</h3>
      <ol class="history">
        {messages.slice(-MOST_STEPS).reverse().map((message) => (
          <li key={message.seq}><Moment session={session} t={message.t} seq={message.seq} /><code>{messageText(message)}</code></li>
        ))}
      </ol>
      {messages.length > MOST_STEPS && <p class="soft">and {messages.length - MOST_STEPS} earlier</p>}
    </>
  )
}

/** Its history, the latest state first. */
function History({ lane, session }: { lane: Lane; session: View }) {
  void session.tick.value
  const count = lane.starts.length
  const rows = Array.from({ length: Math.min(count, MOST_STEPS) }, (_, at) => count - 1 - at)
  const now = session.now()
  return (
    <>
      <h3>History</h3>
      <ol class="history">
        {rows.map((index) => {
          const span = lane.span(index)
          const by = span.info?.by
          return (
            <li key={index}>
              <Moment session={session} t={span.from} seq={span.seq} />
              <span class={`state ${STATE_CLASS[span.state]}`}><span aria-hidden="true">{STATE_SIGN[span.state]}</span> {span.state === 2 ? waitLabel(span.info?.on, session.recording.value) : STATE_WORD[span.state].split(',')[0]}</span>
              <span class="soft">{by !== undefined && <>woken by <TaskLink session={session} task={by} /></>}</span>
              <span class="number">{duration((span.to ?? now) - span.from)}</span>
            </li>
          )
        })}
      </ol>
      {count > MOST_STEPS && <p class="soft">and {count - MOST_STEPS} earlier</p>}
    </>
  )
}

function NoTask({ session }: { session: Session }) {
  void session.tick.value
  const recording = session.recording.value
  const stall = stallAt(recording, session.time) ?? recording.stalls.all.at(-1) ?? null
  const culprit = stall === null ? null : blameOf(stall)
  return (
    <div class="why">
      <h2>Why isn’t this task running?</h2>
      <p class="sentence">Select a task in the lanes or below. One sentence here then says what it waits for, and what can wake it.</p>
      {stall !== null && (
        <>
          <h3>{stall.to === null ? 'The loop is blocked' : 'The last stall'}</h3>
          <p class="sentence ready">{blastRadius(stall, (stall.to ?? session.now()) - stall.from)}.</p>
          {culprit !== null && <p class="soft">in <code>{place(culprit)}</code></p>}
          {stall.to !== null && stall.victims.length === 0 && recording === session.live && (
            <>
              <p class="soft">The loop had nothing else to do, so nothing was delayed.</p>
              {session.can('examples') === true && <p><button type="button" class="button" disabled={session.stalling.value} onClick={() => void session.stallARun()}>▶ Run example 5 and stall it</button></p>}
            </>
          )}
          {stall.task !== null && <p><TaskLink session={session} task={stall.task} name={stall.name} /></p>}
        </>
      )}
    </div>
  )
}
