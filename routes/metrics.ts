// Metrics for Prometheus: those of the observer, and those that only the app's thread knows.
import { Registry } from 'prom-client'
import { threadsState, type LaneState } from '../src/index.ts'
import type { App } from '../src/server/app.ts'
import { exposeFigure } from '../src/http/prometheus.ts'
import { metrics } from '../src/http/routes/metrics.ts'
import { output } from '../src/server/output.ts'

export default function appMetrics(app: App): void {
  const own = new Registry()
  const add = (name: string, help: string, read: () => number): void => exposeFigure(own, name, help, read)
  const { blocks } = app.loopscope
  const { observer } = app
  add('loopscope_loop_held_seconds_total', 'Seconds in which one step or callback blocked the loop for 5 ms or more', () => blocks.seconds)
  add('loopscope_loop_holds_total', 'How often one step or callback blocked the loop for 5 ms or more', () => blocks.count)
  add('loopscope_observer_up', 'Whether there is an observer: 1 or 0', () => Number(observer.up))
  add('loopscope_observer_restarts_total', 'How often the observer\'s thread was started again', () => observer.restarts)
  add('loopscope_log_dropped_total', 'Lines of the log that were dropped, because standard output did not take them', () => output.dropped)
  const contexts = (count: (lane: LaneState) => number): number => threadsState().contexts.reduce((total, lane) => total + count(lane), 0)
  add('loopscope_context_queued', 'Of the sensitive calls that wait for a thread, those with scope=request', () => contexts(({ queued }) => queued))
  add('loopscope_context_running', 'Of the sensitive calls that a thread runs, those with scope=request', () => contexts(({ running }) => running))
  add('loopscope_context_orphaned', 'Of the sensitive calls on detached threads (their tasks were cancelled), those with scope=request', () => contexts(({ orphaned }) => orphaned))
  add('process_heap_bytes', 'Heap in use by the app\'s thread', () => process.memoryUsage().heapUsed)
  metrics(app, observer, own)
}
