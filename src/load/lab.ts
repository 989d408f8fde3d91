// The stall lab: the same probes while the same requests go through each lane in turn. The probes show the delay of all other
// requests to that server.
import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import type { LaneName } from './scenarios.ts'
import type { Plan } from './plan.ts'
import type { LoadResult, Schedule, StreamResult } from './result.ts'
import type { StallSource } from './stalls.ts'
import type { Summary } from './latencies.ts'
import type { TimingTotals } from './timing.ts'
import { laneOf } from './scenarios.ts'
import { STREAM } from './plan.ts'
import { LoadRun } from './run.ts'

/** How long only probes are sent, before the load and after it, in ms. */
const LEAD_MS = 500
const TAIL_MS = 400
/** Between two lanes. */
const REST_MS = 300
const LOOK_MS = 20
const PROBE_CONNECTIONS = 64

export interface LabOptions {
  /** The origin of a loopscope server. */
  url: string
  lanes: readonly LaneName[]
  /** This many requests at once, each of `ms`. */
  requests: number
  ms: number
  /** Probes a second. */
  rate: number
}

export interface LabHooks {
  laneStarted?: (lane: LaneName) => void
  laneFinished?: (result: LaneResult) => void
  /** A probe that was due at `dueAt`, ms of `performance.now()`, took `ms`. */
  probed?: (lane: LaneName, dueAt: number, ms: number) => void
  stalls?: StallSource | null
  signal?: AbortSignal
}

/** What delayed the requests: the loop itself, or the threads that they needed. */
export type StallKind = 'loop' | 'thread' | 'none'

export interface LaneResult {
  lane: LaneName
  /** The probes' latencies, in ms; `null` if none was answered. */
  probes: Summary | null
  load: {
    requests: number
    good: number
    errors: Record<string, number>
    /** From the first request to the last answer. */
    seconds: number
    latency: Summary | null
    /** Where the time went, in ms of an average request. */
    timing: TimingTotals | null
  }
  stall: {
    kind: StallKind
    /** For how long the loop was blocked. */
    loopSeconds: number
    /** The longest time that a request waited for a thread. */
    threadSeconds: number
  }
  /** How many probes were sent, and how many of them got no good answer. */
  sent: number
  lost: number
  /** How well they kept their schedule. */
  schedule: Schedule
  ended: LoadResult['ended']
  reason: string | null
}

/** Runs the lanes one after another. An abort ends it with the finished lanes. */
export async function runLab(options: LabOptions, hooks: LabHooks = {}): Promise<LaneResult[]> {
  const results: LaneResult[] = []
  for (const lane of options.lanes) {
    if (hooks.signal?.aborted === true) break
    hooks.laneStarted?.(lane)
    const result = await runLane(lane, options, hooks)
    if (result.ended === 'interrupted') break
    results.push(result)
    hooks.laneFinished?.(result)
    if (result.ended === 'gone') break
    await pause(REST_MS)
  }
  return results
}

async function runLane(lane: LaneName, options: LabOptions, hooks: LabHooks): Promise<LaneResult> {
  const { requests, ms } = options
  const run = new LoadRun(planOf(lane, options), {
    stalls: () => hooks.stalls ?? null,
    onAnswer: (name, dueAt, took) => {
      if (name === 'probes') hooks.probed?.(lane, dueAt, took)
    },
  })
  const interrupt = (): void => run.stop('interrupted', 'interrupted')
  hooks.signal?.addEventListener('abort', interrupt)
  let doneAt = Infinity
  const looking = setInterval(() => {
    const now = performance.now()
    const load = run.progress()?.streams[1]
    if (load?.done === true) doneAt = Math.min(doneAt, now)
    if (now >= doneAt + TAIL_MS) run.stop('finished')
  }, LOOK_MS)
  const result = await run.run()
  clearInterval(looking)
  hooks.signal?.removeEventListener('abort', interrupt)
  const [probes, load] = result.streams as [StreamResult, StreamResult]
  return {
    lane, probes: probes.latency, sent: probes.sent, lost: probes.sent - probes.good, schedule: probes.schedule, ended: result.ended, reason: result.reason,
    load: { requests, good: load.good, errors: load.errors, seconds: load.seconds, latency: load.latency, timing: load.serverTiming },
    stall: stallOf(result, load, ms),
  }
}

function planOf(lane: LaneName, { url, requests, ms, rate }: LabOptions): Plan {
  // If each waited for all others, it would take requests × ms; starting threads takes additional time.
  const most = (requests * ms) / 1000 + 30
  const common = { ...STREAM, stamped: true, timeout: most }
  return {
    streams: [
      { ...common, name: 'probes', url: `${url}/ping`, rate, connections: PROBE_CONNECTIONS },
      { ...common, name: 'load', url: `${url}${laneOf(lane).path(ms)}`, arrivals: 'burst', requests, after: LEAD_MS / 1000, connections: requests },
    ],
    duration: LEAD_MS / 1000 + most + 1, warmup: 0, seed: 1,
  }
}

/** Which of the two stalls it was, according to the server. */
function stallOf({ stalls }: LoadResult, { serverTiming: timing }: StreamResult, ms: number): LaneResult['stall'] {
  const loopSeconds = round(stalls.reduce((sum, { from, to }) => sum + to - from, 0))
  // A call that blocks the loop does so in one stretch, and is known by its name; a busy machine may cause other stalls.
  const longest = Math.max(0, ...stalls.filter(({ name }) => name.includes('/handlers/')).map(({ from, to }) => to - from))
  // On its thread a call takes `ms`; the rest is the wait for a thread.
  const threadSeconds = timing === null || timing.most.thread === 0 ? 0 : round(Math.max(0, timing.most.thread - ms) / 1000)
  return { kind: longest >= (ms * 0.8) / 1000 ? 'loop' : threadSeconds >= ms / 2000 ? 'thread' : 'none', loopSeconds, threadSeconds }
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000
}
