// The stall lab: the same probes while the same requests go through each lane in turn. What the probes saw is what everybody
// else on that server would have felt.
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

/** Probes alone, before the load and after it, in ms. */
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
  /** So many requests at once, each of `ms`. */
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

/** What held the requests up: the loop itself, or the threads that they needed. */
export type StallKind = 'loop' | 'thread' | 'none'

export interface LaneResult {
  lane: LaneName
  /** What the probes saw, in ms; `null` if none was answered. */
  probes: Summary | null
  load: {
    requests: number
    good: number
    errors: Record<string, number>
    /** From the first request to the last answer. */
    seconds: number
    latency: Summary | null
    /** Where the time went, in ms a request. */
    timing: TimingTotals | null
  }
  stall: {
    kind: StallKind
    /** For how long the loop was held. */
    loopSeconds: number
    /** The longest that a request waited for a thread before it had one. */
    threadSeconds: number
  }
  /** How many probes were sent, and how many of them were without a good answer. */
  sent: number
  lost: number
  /** How well they kept their schedule. */
  schedule: Schedule
  ended: LoadResult['ended']
  reason: string | null
}

/** Run the lanes one after another; an abort ends it with the lanes that are through. */
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
  // Were every one to wait for all others, it would take requests × ms; threads that have to be started take their time.
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

/** Which of the two stalls it was, by what the server says. */
function stallOf({ stalls }: LoadResult, { serverTiming: timing }: StreamResult, ms: number): LaneResult['stall'] {
  const loopSeconds = round(stalls.reduce((sum, { from, to }) => sum + to - from, 0))
  // A call that blocks the loop holds it in one piece, and is known by its name: a machine that is busy may do so otherwise.
  const longest = Math.max(0, ...stalls.filter(({ name }) => name.includes('/handlers/')).map(({ from, to }) => to - from))
  // On its thread a call takes `ms`; the rest is what it waited for one.
  const threadSeconds = timing === null || timing.most.thread === 0 ? 0 : round(Math.max(0, timing.most.thread - ms) / 1000)
  return { kind: longest >= (ms * 0.8) / 1000 ? 'loop' : threadSeconds >= ms / 2000 ? 'thread' : 'none', loopSeconds, threadSeconds }
}

function round(seconds: number): number {
  return Math.round(seconds * 1000) / 1000
}
