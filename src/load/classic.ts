// The classic test of sync code behind an async server: a number of requests, a limited number in flight, delays from a seed,
// through each lane. It is a closed loop on purpose, like the original: its total time depends on the lane.
import type { LaneName } from './scenarios.ts'
import type { Plan } from './plan.ts'
import type { LoadResult, StreamResult } from './result.ts'
import type { Summary } from './latencies.ts'
import { laneOf } from './scenarios.ts'
import { STREAM } from './plan.ts'
import { LoadRun } from './run.ts'
import { seeded } from '../seeded.ts'
import { count, table, time } from './format.ts'

const PROBES = 20
const LOOK_MS = 20
const MOST_SECONDS = 600

export interface ClassicOptions {
  url: string
  lanes: readonly LaneName[]
  requests: number
  inFlight: number
  /** The mean delay; each is between 0 and twice as much. */
  ms: number
  seed: number
}

export interface ClassicResult {
  lane: LaneName
  good: number
  errors: Record<string, number>
  /** The total time. */
  seconds: number
  /** Of the requests, in ms. */
  latency: Summary | null
  /** Of a `/ping` sent 20 times a second meanwhile. */
  probes: Summary | null
  ended: LoadResult['ended']
  reason: string | null
}

/** The delays, in whole ms: the same for the same seed, in every lane. */
export function delaysOf({ requests, ms, seed }: Pick<ClassicOptions, 'requests' | 'ms' | 'seed'>): number[] {
  const random = seeded(seed)
  return Array.from({ length: requests }, () => Math.round(random() * 2 * ms))
}

/** Runs the lanes one after another. */
export async function runClassic(options: ClassicOptions, onLane: (lane: LaneName, run: LoadRun) => void, signal: AbortSignal): Promise<ClassicResult[]> {
  const results: ClassicResult[] = []
  for (const lane of options.lanes) {
    if (signal.aborted) break
    const run = new LoadRun(planOf(lane, options))
    onLane(lane, run)
    const interrupt = (): void => run.stop('interrupted', 'interrupted')
    signal.addEventListener('abort', interrupt)
    const looking = setInterval(() => {
      if (run.progress()?.streams[0]!.done === true) run.stop('finished')
    }, LOOK_MS)
    const { streams, ended, reason } = await run.run()
    clearInterval(looking)
    signal.removeEventListener('abort', interrupt)
    const [load, probes] = streams as [StreamResult, StreamResult]
    results.push({ lane, good: load.good, errors: load.errors, seconds: load.seconds, latency: load.latency, probes: probes.latency, ended, reason })
    if (ended !== 'finished') break
  }
  return results
}

function planOf(lane: LaneName, options: ClassicOptions): Plan {
  const paths = delaysOf(options).map((ms) => laneOf(lane).path(ms))
  const common = { ...STREAM, timeout: 120, stamped: true }
  return {
    streams: [
      { ...common, name: lane, url: options.url, paths, arrivals: 'closed', requests: options.requests, connections: options.inFlight },
      { ...common, name: 'probes', url: `${options.url}/ping`, rate: PROBES, connections: 16 },
    ],
    duration: MOST_SECONDS, warmup: 0, seed: options.seed,
  }
}

export function classicReport(results: readonly ClassicResult[], { requests, inFlight, ms, seed }: ClassicOptions): string {
  if (results.length === 0) return 'no lane was measured\n'
  const rows = results.map(({ lane, seconds, latency, probes, good, errors }) => [
    lane, time(seconds * 1000), latency === null ? '-' : time(latency.mean), latency === null ? '-' : time(latency.p99), probes === null ? '-' : time(probes.p99), count(good),
    count(Object.values(errors).reduce((sum, one) => sum + one, 0)),
  ])
  const whole = delaysOf({ requests, ms, seed }).reduce((sum, one) => sum + one, 0)
  const notes = results.flatMap(({ lane, errors, ended, reason }) => [
    ...Object.entries(errors).map(([kind, times]) => `${lane}: ${count(times)} × ${kind}${kind === 'HTTP 429' ? ': the server limits such calls: start it with RATE_LIMIT=0' : ''}`),
    ...(ended === 'finished' ? [] : [`${lane}: ended early: ${reason ?? ended}`]),
  ])
  return `${[
    `${count(requests)} requests, ${count(inFlight)} in flight; delays from seed ${seed}, ${time(ms)} on average, ${time(whole)} in all: one after another they take that, ${count(inFlight)} at a time ${time(whole / inFlight)}`,
    table([['lane', 'total', 'mean', 'p99', '/ping p99', 'answers', 'errors'], ...rows]),
    ...(notes.length === 0 ? [] : [notes.join('\n')]),
    ...classicWords(results, whole),
  ].join('\n\n')}\n`
}

/** What the figures show. */
function classicWords(results: readonly ClassicResult[], whole: number): string[] {
  const find = (lane: LaneName): ClassicResult | undefined => results.find((result) => result.lane === lane && result.ended === 'finished' && result.good > 0)
  const [sensitive, free] = [find('sensitive'), find('async')]
  if (sensitive === undefined || free === undefined) return []
  const serial = sensitive.seconds * 1000 >= whole * 0.95
  return [`Through the one sync thread the same requests took ${(sensitive.seconds / free.seconds).toFixed(1)} times as long as async${serial ? ': they went one after another, however many were in flight' : ''}.`]
}
