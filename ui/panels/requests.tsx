// The requests, each with where its time went.
import type { PanelContext } from '../panels.ts'
import { duration } from '../recording/explain.ts'
import { splitOf } from '../recording/track.ts'
import type { Request } from '../recording.ts'
import { NO_FILTER } from '../session.ts'
import { Moment, SplitBar } from './parts.tsx'

const MOST_ROWS = 200
const OWN = /^\/(view|favicon|examples(\/\d+)?$|runs|tasks|loops|stalls|healthz|metrics|events|docs|openapi)/

export function RequestsPanel({ session }: PanelContext) {
  void session.tick.value
  const recording = session.recording.value
  const { time } = session
  const { own } = session.filter.value
  const shown: Request[] = []
  for (const request of [...recording.requests.values()].reverse()) {
    if (request.from > time || (!own && OWN.test(request.url))) continue
    shown.push(request)
    if (shown.length >= MOST_ROWS) break
  }
  if (shown.length === 0) return <p class="panel-empty">No request yet, except those of this page. Try <code>{session.api.curl('/handlers/async?ms=1000')}</code></p>
  const longest = Math.max(...shown.map(({ from, to }) => Math.min(to ?? time, time) - from), 1e-3)
  return (
    <table class="grid">
      <thead><tr><th scope="col" class="number">#</th><th scope="col">Request</th><th scope="col">Status</th><th scope="col" class="number">took</th>
        <th scope="col" class="bar-column">where the time went</th><th scope="col" class="number">running</th><th scope="col" class="number">ready</th><th scope="col" class="number">waiting</th><th scope="col" class="number">thread</th><th scope="col">from</th></tr></thead>
      <tbody>
        {shown.map((request) => {
          const { id, method, url, from, to, status, outcome, left } = request
          const lane = request.task === null ? undefined : recording.lanes.get(request.task)
          const end = Math.min(to ?? time, time)
          const split = lane === undefined ? { run: 0, ready: 0, wait: 0, thread: 0 } : splitOf(lane, from, end)
          const ended = to !== null && to <= time
          return (
            <tr key={id} class={request.task !== null && request.task === session.selected.value ? 'selected' : ''} onClick={() => session.select(request.task, true)}>
              <td class="number"><button type="button" class="link-button" title="Show only this request" onClick={(event) => { event.stopPropagation(); session.filter.value = { ...NO_FILTER, own, request: id } }}>{id}</button></td>
              <td class="wrap"><b>{method}</b> {url}{left !== null && <span class="chip" title="A stall does not count it as delayed: the page only watches">of the page</span>}</td>
              <td>{!ended ? <span class="soft">under way</span> : outcome === 'disconnected' ? '⊘ client disconnected' : outcome === 'raised' || (status ?? 0) >= 400 ? <span class="bad">✕ {status ?? ''}</span> : `✓ ${status ?? ''}`}</td>
              <td class="number">{duration(Math.max(0, end - from))}</td>
              <td><SplitBar split={split} scale={1 / longest} /></td>
              <td class="number">{duration(split.run)}</td>
              <td class={`number ${split.ready > 0.05 ? 'bad' : ''}`}>{duration(split.ready)}</td>
              <td class="number">{duration(split.wait)}</td>
              <td class="number">{split.thread > 0 ? duration(split.thread) : '–'}</td>
              <td><Moment session={session} t={from} /></td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
