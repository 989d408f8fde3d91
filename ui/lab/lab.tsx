// The stall lab: a steady stream of probes while blocking requests go through each lane, one after the other. The probes'
// latencies are drawn above the loop, on one time axis, and a table shows the figures.
import { useSignal } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import type { PanelContext } from '../panels.ts'
import { duration } from '../recording/explain.ts'
import type { Lab } from '../recording/labs.ts'
import type { Lane } from '../recording/track.ts'
import { View } from '../session/view.ts'
import { WhyBeside } from '../panels/why.tsx'
import type { Session } from '../session.ts'
import { TimelineOf } from '../shell/timeline-of.tsx'
import type { Timeline } from '../timeline/timeline.ts'
import { sizeOf } from '../timeline/zoom.ts'
import { paintProbes } from './probes.ts'

export const LANE_WORDS: Record<string, { title: string; what: string }> = {
  inline: { title: 'inline', what: 'on the loop’s own thread: everything is delayed' },
  sensitive: { title: 'sensitive', what: 'on the one thread for such calls: they queue behind each other' },
  'sensitive-per-request': { title: 'sensitive per request', what: 'a thread for each request: one on each thread at the same time' },
  pool: { title: 'pool', what: 'on a pool of threads: one on each thread at the same time' },
  async: { title: 'async', what: 'a coroutine that waits: all at once, no thread' },
}

export function LabPage({ session }: PanelContext) {
  void session.tick.value
  const order = useSignal({ requests: '5', ms: '200', rate: '100' })
  const timeline = useRef<Timeline | null>(null)
  const view = useMemo(() => new View(session.tick), [])
  view.show(session.live)
  view.clock = () => session.connection.now()
  const labs = [...session.live.labs.all.values()]
  const lab = labs.at(-1)
  const running = lab !== undefined && lab.outcome === null
  const starting = useSignal(false)
  const start = async (): Promise<void> => {
    starting.value = true
    const { requests, ms, rate } = order.value
    await session.attempt(session.api.startLab({ requests: Number(requests), ms: Number(ms), rate: Number(rate) }))
    starting.value = false
    if (timeline.current !== null) timeline.current.follow = true
  }
  const show = (): void => {
    if (lab === undefined || timeline.current === null) return
    const to = lab.to ?? session.connection.now()
    const pad = (to - lab.from) * 0.03 + 0.1
    timeline.current.show(lab.from - pad, to + pad)
  }
  useEffect(() => { if (lab?.to != null) show() }, [lab?.to])
  const field = (name: keyof typeof order.value, label: string, unit: string) => (
    <label class="group">
      <span class="soft">{label}</span>
      <input type="text" inputMode="numeric" size={4} value={order.value[name]} onInput={({ currentTarget }) => { order.value = { ...order.value, [name]: currentTarget.value } }} />
      <span class="soft">{unit}</span>
    </label>
  )
  return (
    <div class="lab">
      <form class="toolbar" aria-label="The lab" onSubmit={(event) => { event.preventDefault(); void start() }}>
        <button type="submit" class="stall-button" disabled={running || starting.value}><span class="stall-sign" aria-hidden="true" />{running ? 'Measuring …' : 'Start the lab'}</button>
        {field('requests', 'blocking requests', 'at once')}
        {field('ms', 'of', 'ms each')}
        {field('rate', 'probes', 'per second')}
        {running && <button type="button" class="button" onClick={() => void session.attempt(session.api.cancelLab(lab.id))}>Cancel</button>}
        {lab !== undefined && <button type="button" class="button" onClick={show}>Show all of it</button>}
      </form>
      {lab === undefined && (
        <div class="lab-empty">
          <h2>Five ways to serve a call that blocks</h2>
          <p>A probe sends a trivial request, a hundred times a second. Meanwhile, blocking requests go through each lane in turn. The probes show how much this delays all other requests.</p>
          <dl>{Object.entries(LANE_WORDS).map(([lane, { title, what }]) => <div key={lane}><dt>{title}</dt><dd>{what}</dd></div>)}</dl>
        </div>
      )}
      <Probes session={session} timeline={timeline} lab={lab} />
      <div class="lanes-and-why">
        <div class="lab-lanes">
          <TimelineOf recording={session.live} options={{ compact: true, now: () => session.connection.now(), follow: true, label: 'Timeline of the loop during the lab' }} ready={(made) => {
            timeline.current = made
            made.view.set(-10, 0)
            made.filter = isLoad
            const stops = [view.join(made), view.joinMoment(made), session.onChange(() => made.refresh())]
            return () => {
              for (const stop of stops) stop()
              timeline.current = null
            }
          }} />
        </div>
        {lab !== undefined && <WhyBeside view={view} passes={isLoad} />}
      </div>
      {lab !== undefined && <Table lab={lab} session={session} />}
    </div>
  )
}

/** The blocking requests, and the calls that threads run for them. */
function isLoad(lane: Lane): boolean {
  return /^GET \/handlers/.test((lane.parent ?? lane).name)
}

/** The latency of each probe, above the loop and on its axis. */
function Probes({ session, timeline, lab }: { session: Session; timeline: { current: Timeline | null }; lab: Lab | undefined }) {
  const place = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    let frame = 0
    let last = ''
    const draw = (): void => {
      frame = requestAnimationFrame(draw)
      const canvas = place.current
      const view = timeline.current?.view
      if (canvas === null || view === undefined || lab === undefined) return
      const box = sizeOf(canvas)
      const state = `${view.from} ${view.to} ${view.width} ${lab.samples.length} ${lab.turns.length} ${box.width} ${session.dark.value}`
      if (state === last) return
      last = state
      paintProbes(canvas, lab, view, box.width, box.height)
    }
    frame = requestAnimationFrame(draw)
    return () => cancelAnimationFrame(frame)
  }, [lab])
  if (lab === undefined) return null
  return <canvas ref={place} class="probes" role="img" aria-label="How long each probe took, over time; the table below has the figures" />
}

const STALLS = { loop: ['▰', 'the loop was blocked: everything was delayed'], thread: ['◫', 'a thread was busy: only its own callers waited'], none: ['✓', 'nothing was blocked'] } as const

function Table({ lab, session }: { lab: Lab; session: Session }) {
  void session.tick.value
  const words = useSignal<string[]>([])
  useEffect(() => {
    words.value = []
    if (lab.outcome === 'finished') void session.api.labWords(lab.id).then((found) => { words.value = found }, () => {})
  }, [lab.id, lab.outcome])
  const running = lab.outcome === null ? lab.turns.at(-1)?.lane : undefined
  return (
    <div class="lab-table" role="region" aria-label="The lab’s figures" tabIndex={0}>
      <table class="grid">
        <caption>{lab.requests} {lab.requests === 1 ? 'request' : 'requests'} of {lab.ms} ms at once through each lane, with {lab.rate} probes per second{lab.outcome === 'cancelled' && '; cancelled'}{lab.outcome === 'failed' && `; failed: ${lab.error ?? ''}`}</caption>
        <thead><tr><th scope="col">Lane</th><th scope="col" class="number">p50</th><th scope="col" class="number">p99</th><th scope="col" class="number">max</th><th scope="col" class="number">lost</th><th scope="col" class="number">the load took</th><th scope="col">Which stall</th><th scope="col" class="number">loop blocked</th><th scope="col" class="number">queued for a thread</th></tr></thead>
        <tbody>
          {lab.lanes.map((lane) => {
            const result = lab.results.get(lane)
            const late = (seconds: number | undefined): string => seconds !== undefined && seconds >= 0.1 ? 'number bad' : 'number'
            return (
              <tr key={lane} class={lane === running ? 'selected' : ''}>
                <th scope="row">
                  {LANE_WORDS[lane]?.title ?? lane} <span class="soft">{LANE_WORDS[lane]?.what}</span>
                  {result?.caveats?.map((caveat) => <span key={caveat} class="lab-caveat"><span aria-hidden="true">⚠</span> {caveat}</span>)}
                </th>
                {result === undefined
                  ? <td colSpan={8} class="soft">{lane === running ? '▶ running' : lab.outcome === null ? 'not started' : '–'}</td>
                  : (
                    <>
                      <td class={late(result.probes?.p50)}>{result.probes === undefined ? '–' : duration(result.probes.p50)}</td>
                      <td class={late(result.probes?.p99)}>{result.probes === undefined ? '–' : duration(result.probes.p99)}</td>
                      <td class={late(result.probes?.max)}>{result.probes === undefined ? '–' : duration(result.probes.max)}</td>
                      <td class="number">{result.lost} of {result.sent}</td>
                      <td class="number">{duration(result.took)}</td>
                      <td><span aria-hidden="true">{STALLS[result.stall][0]}</span> {STALLS[result.stall][1]}</td>
                      <td class={late(result.held)}>{duration(result.held)}</td>
                      <td class="number">{duration(result.queued)}</td>
                    </>
                  )}
              </tr>
            )
          })}
        </tbody>
      </table>
      {words.value.map((text) => <p key={text} class="lab-words">{text}</p>)}
    </div>
  )
}
