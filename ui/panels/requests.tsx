// The requests, each with where its time went.
import type { ComponentChild } from 'preact'
import type { PanelContext } from '../panels.ts'
import { duration } from '../recording/explain.ts'
import { isRecorded, splitOfRequest } from '../recording/served.ts'
import type { Request } from '../recording.ts'
import { NO_FILTER } from '../session.ts'
import { isOwnRequest } from '../session/filter.ts'
import { Moment, SplitBar } from './parts.tsx'

const MOST_ROWS = 200
/** Of a request that no task serves, the stream reports the beginning and the end. */
const PLAIN = 'not known: its handler is not a coroutine, so no task has measured it'

export function RequestsPanel({ session }: PanelContext) {
  void session.tick.value
  const recording = session.recording.value
  const { time } = session
  const { own } = session.filter.value
  const shown: Request[] = []
  for (const request of [...recording.requests.values()].reverse()) {
    if (request.from > time || (!own && isOwnRequest(`${request.method} ${request.url}`))) continue
    shown.push(request)
    if (shown.length >= MOST_ROWS) break
  }
  if (shown.length === 0) return <p class="panel-empty">No request yet, except those of this page. {session.can('stall') === true && <>Try <code>{session.api.curl('/handlers/async?ms=1000')}</code></>}</p>
  const longest = Math.max(...shown.map(({ from, to }) => Math.min(to ?? time, time) - from), 1e-3)
  return (
    <table class="grid">
      <thead><tr><th scope="col" class="number">#</th><th scope="col">Request</th><th scope="col">Status</th><th scope="col" class="number">took</th>
        <th scope="col" class="bar-column">where the time went</th><th scope="col" class="number">running</th><th scope="col" class="number">ready</th><th scope="col" class="number">waiting</th><th scope="col" class="number">thread</th><th scope="col">from</th></tr></thead>
      <tbody>
        {shown.map((request) => {
          const { id, method, url, from, to, status, outcome, left } = request
          const end = Math.min(to ?? time, time)
          const split = splitOfRequest(request, recording.lanes, end)
          const isKnown = isRecorded(request, recording.lanes)
          const part = (seconds: number): ComponentChild => !isKnown && seconds === 0 ? <span title={PLAIN}>–</span> : duration(seconds)
          const ended = to !== null && to <= time
          return (
            <tr key={id} class={request.task !== null && request.task === session.selected.value ? 'selected' : ''} onClick={() => session.select(request.task, true)}>
              <td class="number"><button type="button" class="link-button" title="Show only this request" onClick={(event) => { event.stopPropagation(); session.filter.value = { ...NO_FILTER, own, request: id } }}>{id}</button></td>
              <td class="wrap"><b>{method}</b> {url}{left !== null && <span class="chip" title="A stall does not count it as delayed: the page only watches">of the page</span>}</td>
              <td>{!ended ? <span class="soft">under way</span> : outcome === 'disconnected' ? '⊘ client disconnected' : outcome === 'raised' || (status ?? 0) >= 400 ? <span class="bad">✕ {status ?? ''}</span> : `✓ ${status ?? ''}`}</td>
              <td class="number">{duration(Math.max(0, end - from))}</td>
              <td><SplitBar split={split} scale={1 / longest} unknown={!isKnown ? Math.max(0, end - from) - split.ready : 0} /></td>
              <td class="number">{part(split.run)}</td>
              <td class={`number ${split.ready > 0.05 ? 'bad' : ''}`}>{part(split.ready)}</td>
              <td class="number">{part(split.wait)}</td>
              <td class="number">{split.thread > 0 ? duration(split.thread) : '–'}</td>
              <td><Moment session={session} t={from} /></td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
