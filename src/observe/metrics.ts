// The observer's metrics, with Prometheus' names. For the app's event loop also with those of OpenTelemetry's Node
// conventions, which Prometheus writes with underscores and units.
import type { Histogram } from 'node:perf_hooks'
import { Registry } from 'prom-client'
import type { Cluster, ClusterFigures, ShownLoops } from './other-loops.ts'
import type { Figures } from '../http/monitor.ts'
import { distributionOf, exposeDistribution, exposeFigure, exposeFigures } from '../http/prometheus.ts'
import { NUMBER, WORD } from '../probe/layout.ts'
import type { Webhook } from './webhook.ts'

/** Only this many of the longest queues have a series of their own: queues come and go, and a series for each would grow without limit. */
const QUEUES_SHOWN = 8
/** Upper ends of the buckets for the loop's delay, in seconds. */
const DELAY_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

interface Figure {
  /** OpenTelemetry's name, if there is one. */
  otel?: string
  labels?: Record<string, string>
  help: string
  read: () => number
}

/** Returns a function that gives the current figures. */
export function metricsOf(loops: ShownLoops, delays: Histogram, webhook: Pick<Webhook, 'sent' | 'failed'> | null = null): () => Promise<Figures> {
  const observer = loops.own
  const { words, numbers } = observer.view
  const registry = new Registry()
  const figures: [name: string, figure: Figure][] = []
  const add = (name: string, help: string, read: () => number, otel?: string): void => {
    figures.push([name, { help, read, ...(otel === undefined ? {} : { otel }) }])
    exposeFigure(registry, name, otel === undefined ? help : `${help} (${otel})`, read)
  }
  const seconds = (nanoseconds: number): number => (delays.count === 0 || !Number.isFinite(nanoseconds) ? 0 : nanoseconds / 1e9)
  const delay = (what: string, read: () => number): void =>
    add(`nodejs_eventloop_delay_${what}_seconds`, `Delay of the app's event loop: ${what}`, () => seconds(read()), `nodejs.eventloop.delay.${what}`)
  delay('min', () => delays.min)
  delay('max', () => delays.max)
  delay('mean', () => delays.mean)
  delay('stddev', () => delays.stddev)
  delay('p50', () => delays.percentile(50))
  delay('p90', () => delays.percentile(90))
  delay('p99', () => delays.percentile(99))
  const idle = (): number => numbers[NUMBER.idle] as number
  const active = (): number => numbers[NUMBER.active] as number
  add('nodejs_eventloop_utilization_ratio', 'Share of the time in which the app\'s event loop was busy, since it began', () => active() / (active() + idle() || 1), 'nodejs.eventloop.utilization')
  exposeFigures(registry, 'nodejs_eventloop_time_seconds_total', 'Time that the app\'s event loop has spent (nodejs.eventloop.time)', 'nodejs_eventloop_state',
    () => [['active', active() / 1000], ['idle', idle() / 1000]])
  exposeDistribution(registry, 'loopscope_loop_delay_seconds', 'Delay of the app\'s event loop, looked at every 20 ms', () => distributionOf(delays, DELAY_SECONDS))
  add('loopscope_events_total', 'Events of the stream', () => observer.history.last)
  add('loopscope_events_lost_total', 'Events that were not recorded, because the observer was too slow', () => observer.lostEvents)
  add('loopscope_events_dropped_total', 'Events that slow subscribers missed', () => observer.fanout.dropped)
  add('loopscope_recording_seconds_total', 'Seconds that recording has cost the app\'s loop, estimated from a sample', () => numbers[NUMBER.cost] as number)
  add('loopscope_subscribers', 'Subscribers of the event stream', () => loops.size)
  add('loopscope_tasks', 'Live tasks', () => observer.model.tasks.size)
  add('loopscope_requests_active', 'Requests under way', () => observer.model.requests.size)
  const { stats } = observer
  exposeFigures(registry, 'loopscope_requests_total', 'Requests that have ended, as far as events of them were recorded', 'answer', () => Object.entries(stats.requests))
  exposeDistribution(registry, 'loopscope_request_seconds', 'Seconds from the start of a request to its end', () => stats.seconds.distribution)
  exposeFigures(registry, 'loopscope_queue_size', `Items in the ${QUEUES_SHOWN} longest queues of what is under way`, 'rank',
    () => stats.sizes.slice(0, QUEUES_SHOWN).map((size, at) => [String(at + 1), size]))
  add('loopscope_queue_items', 'Items in all queues of what is under way', () => stats.sizes.reduce((sum, size) => sum + size, 0))
  add('loopscope_queue_unfinished', 'Items that were put and are not done yet, in all queues', () => stats.unfinished)
  add('loopscope_runs_active', 'Runs of examples under way', () => observer.model.runs.size)
  add('loopscope_blocked', 'Whether the loop is blocked beyond the threshold right now: 1 or 0', () => Number(observer.blocked))
  add('loopscope_stalls_total', 'How often the loop was blocked beyond the threshold', () => observer.stallCount)
  add('loopscope_blocked_seconds_total', 'Seconds in which the loop was blocked beyond the threshold', () => observer.blockedSeconds)
  exposeFigures(registry, 'loopscope_stall_kinds_total', 'Stalls of each kind', 'kind', () => [...stats.stallKinds].map(([kind, { count }]) => [kind, count]))
  exposeFigures(registry, 'loopscope_stall_kind_seconds_total', 'Seconds of the stalls of each kind', 'kind', () => [...stats.stallKinds].map(([kind, { seconds }]) => [kind, seconds]))
  exposeDistribution(registry, 'loopscope_stall_seconds', 'How long the loop was blocked, of times beyond the threshold', () => stats.stalls.distribution)
  add('loopscope_delayed_seconds_total', 'Seconds by which stalls have delayed requests and tasks, all together', () => stats.delayed)
  add('loopscope_warnings_total', 'Warnings given', () => observer.warningCount)
  add('loopscope_observer_errors_total', 'Errors on the observer\'s thread that ended with the connection or the question they came from', () => observer.errorCount)
  if (webhook !== null) exposeFigures(registry, 'loopscope_webhook_total', 'Stalls that were sent to the webhook, and those that were not', 'answer', () => [['sent', webhook.sent], ['failed', webhook.failed]])
  for (const mode of ['sensitive', 'pool'] as const) {
    add(`loopscope_${mode}_queued`, `Calls that wait for a thread, ${mode}`, () => words[WORD[`${mode}Queued`]] as number)
    add(`loopscope_${mode}_running`, `Calls that a thread runs, ${mode}`, () => words[WORD[`${mode}Running`]] as number)
    add(`loopscope_${mode}_orphaned`, `Calls on detached threads (their tasks were cancelled), ${mode}`, () => words[WORD[`${mode}Orphaned`]] as number)
  }
  if (loops.cluster?.redis != null) addCluster(loops.cluster, registry, add)
  return async () => ({
    text: await registry.metrics(),
    values: {
      ...Object.fromEntries(figures.map(([name, { otel, read }]) => [otel ?? name, read()])),
      'nodejs.eventloop.time{nodejs.eventloop.state=active}': active() / 1000,
      'nodejs.eventloop.time{nodejs.eventloop.state=idle}': idle() / 1000,
    },
  })
}

/** The metrics that exist only with a Redis. */
function addCluster(cluster: Cluster, registry: Registry, add: (name: string, help: string, read: () => number) => void): void {
  const figures = (): ClusterFigures => cluster.figures() as ClusterFigures
  add('loopscope_cluster_connected', 'Whether Redis can be reached: 1 or 0', () => Number(figures().connected))
  add('loopscope_cluster_away_total', 'How often Redis became unreachable', () => figures().away)
  add('loopscope_cluster_away_seconds_total', 'Seconds in which Redis could not be reached', () => figures().awaySeconds)
  add('loopscope_cluster_published_total', 'Events that Redis has acknowledged', () => figures().published)
  add('loopscope_cluster_lost_total', 'Events that were not published, because Redis was away or slow for longer than the history is', () => figures().lost)
  add('loopscope_cluster_lag_seconds', 'Age of the oldest event that is not published yet', () => figures().lag)
  add('loopscope_cluster_received_total', 'Events received from other loops', () => figures().received)
  add('loopscope_cluster_missed_total', 'Events of other loops that are known to be missing', () => figures().missed)
  add('loopscope_cluster_commands_in_flight', 'Commands that Redis has not answered yet', () => figures().inFlight)
  exposeFigures(registry, 'loopscope_cluster_loops', 'Loops of other processes', 'state', () => Object.entries(figures().loops))
}
