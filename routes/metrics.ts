// Figures for Prometheus, each read at the moment it is asked for: keeping them costs requests nothing.
import { Registry } from 'prom-client'
import { z } from 'zod'
import { fromPromise, threadsState, type LaneState } from '../src/index.ts'
import type { App } from '../src/server/app.ts'
import { output } from '../src/server/output.ts'
import type { Figures } from '../src/observe/protocol.ts'
import { exposeFigure } from '../src/observe/prometheus.ts'
import { ObserverDownError } from '../src/observe/thread-life.ts'

export default function metrics(app: App): void {
  const registry = new Registry()
  /** What only the observer knows: left out while there is no observer. */
  const observed = new Registry()
  const add = (name: string, help: string, read: () => number): void => exposeFigure(registry, name, help, read)
  const addObserved = (name: string, help: string, of: keyof Figures): void => exposeFigure(observed, name, help, () => figures[of] ?? 0)
  const { loop, blocks, active } = app.loopscope
  const { observer, runs } = app
  let figures: Partial<Figures> = {}
  add('loopscope_tasks', 'Live tasks on the server\'s loop', () => loop.liveTasks().size)
  add('loopscope_requests_active', 'Requests being served by a coroutine', () => active.size)
  add('loopscope_requests_total', 'Requests that coroutines have begun to serve', () => app.loopscope.requests)
  add('loopscope_runs_active', 'Runs of examples under way', () => runs.live)
  add('loopscope_loop_held_seconds_total', 'Seconds in which one step or callback blocked the loop for 5 ms or more', () => blocks.seconds)
  add('loopscope_loop_holds_total', 'How often one step or callback blocked the loop for 5 ms or more', () => blocks.count)
  addObserved('loopscope_events_total', 'Events recorded', 'events')
  addObserved('loopscope_events_lost_total', 'Events that were not recorded, because the observer was behind', 'lost')
  add('loopscope_recording_seconds_total', 'Seconds that recording has cost the loop, estimated from a sample', () => observer.cost)
  addObserved('loopscope_subscribers', 'Subscribers of the event stream', 'subscribers')
  addObserved('loopscope_events_dropped_total', 'Events that subscribers were too slow to get', 'dropped')
  addObserved('loopscope_stalls_total', 'How often the loop was blocked beyond the threshold', 'stalls')
  addObserved('loopscope_blocked_seconds_total', 'Seconds in which the loop was blocked beyond the threshold', 'blockedSeconds')
  addObserved('loopscope_warnings_total', 'Warnings given on the stream', 'warnings')
  addObserved('loopscope_observer_errors_total', 'Errors on the observer\'s thread that ended with the connection or the question they came from', 'errors')
  add('loopscope_observer_up', 'Whether there is an observer: 1 or 0', () => Number(observer.up))
  add('loopscope_observer_restarts_total', 'How often the observer\'s thread was started again', () => observer.restarts)
  add('loopscope_log_dropped_total', 'Lines of the log that were dropped, because standard output did not take them', () => output.dropped)
  /** The threads of each kind: the pool's, the one for sensitive calls, and those of ThreadSensitiveContexts, a request each with scope=request. */
  const lanes = (): Record<'pool' | 'sensitive' | 'context', readonly LaneState[]> => {
    const { pool, sensitive, contexts } = threadsState()
    return { pool: [pool], sensitive: [sensitive], context: contexts }
  }
  const sum = (mode: 'pool' | 'sensitive' | 'context', count: (lane: LaneState) => number): number => lanes()[mode].reduce((total, lane) => total + count(lane), 0)
  for (const mode of ['pool', 'sensitive', 'context'] as const) {
    add(`loopscope_${mode}_queued`, `Calls that wait for a thread, ${mode}`, () => sum(mode, ({ queued }) => queued))
    add(`loopscope_${mode}_running`, `Calls that a thread runs, ${mode}`, () => sum(mode, ({ running }) => running))
    add(`loopscope_${mode}_orphaned`, `Calls that run on though nobody waits for them, ${mode}`, () => sum(mode, ({ orphaned }) => orphaned))
  }
  add('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss())
  add('process_heap_bytes', 'Heap in use', () => process.memoryUsage().heapUsed)
  add('process_uptime_seconds', 'Seconds since the process began', () => process.uptime())

  app.get('/metrics', { schema: { summary: 'Figures for Prometheus', tags: ['health'], querystring: z.strictObject({}) } }, function* (_request, reply) {
    const known = yield* fromPromise(observer.ask('figures').catch(unlessDown))
    if (known !== null) figures = known
    reply.type(registry.contentType)
    const registries = known === null ? [registry] : [registry, observed]
    return yield* fromPromise(Promise.all(registries.map((one) => one.metrics())).then((parts) => parts.join('\n')))
  })
}

function unlessDown(error: unknown): null {
  if (error instanceof ObserverDownError) return null
  throw error
}
