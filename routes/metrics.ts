// Figures for Prometheus, each read at the moment it is asked for: keeping them costs requests nothing.
import { Gauge, Registry } from 'prom-client'
import { z } from 'zod'
import { fromPromise, threadsState } from '../src/index.ts'
import type { App } from '../src/server/app.ts'
import type { Figures } from '../src/observer/protocol.ts'

export default function metrics(app: App): void {
  const registry = new Registry()
  const add = (name: string, help: string, read: () => number): void => {
    // A gauge also where it only ever grows: its value is read, not counted here.
    new Gauge({
      name, help, registers: [registry],
      collect() {
        this.set(read())
      },
    })
  }
  const { loop, ledger, active } = app.loopscope
  const { observer, runs } = app
  let figures: Figures = { events: 0, lost: 0, subscribers: 0, dropped: 0, blockedSeconds: 0, stalls: 0, warnings: 0 }
  add('loopscope_tasks', 'Live tasks on the server\'s loop', () => loop.liveTasks().size)
  add('loopscope_requests_active', 'Requests being served by a coroutine', () => active.size)
  add('loopscope_requests_total', 'Requests that coroutines have begun to serve', () => app.loopscope.requests)
  add('loopscope_runs_active', 'Runs of examples under way', () => runs.live)
  add('loopscope_loop_held_seconds_total', 'Seconds in which one step or callback held the loop for 5 ms or more', () => ledger.heldSeconds)
  add('loopscope_loop_holds_total', 'How often one step or callback held the loop for 5 ms or more', () => ledger.heldTimes)
  add('loopscope_events_total', 'Events recorded', () => figures.events)
  add('loopscope_events_lost_total', 'Events that were not recorded, because the observer was behind', () => figures.lost)
  add('loopscope_recording_seconds_total', 'Seconds that recording has cost the loop, estimated from a sample', () => observer.cost)
  add('loopscope_subscribers', 'Subscribers of the event stream', () => figures.subscribers)
  add('loopscope_events_dropped_total', 'Events that subscribers were too slow to get', () => figures.dropped)
  add('loopscope_stalls_total', 'How often the loop was blocked beyond the threshold', () => figures.stalls)
  add('loopscope_blocked_seconds_total', 'Seconds in which the loop was blocked beyond the threshold', () => figures.blockedSeconds)
  add('loopscope_warnings_total', 'Warnings given on the stream', () => figures.warnings)
  for (const mode of ['pool', 'sensitive'] as const) {
    add(`loopscope_${mode}_queued`, `Calls that wait for a thread, ${mode}`, () => threadsState()[mode].queued)
    add(`loopscope_${mode}_running`, `Calls that a thread runs, ${mode}`, () => threadsState()[mode].running)
    add(`loopscope_${mode}_orphaned`, `Calls that run on though nobody waits for them, ${mode}`, () => threadsState()[mode].orphaned)
  }
  add('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss())
  add('process_heap_bytes', 'Heap in use', () => process.memoryUsage().heapUsed)
  add('process_uptime_seconds', 'Seconds since the process began', () => process.uptime())

  app.get('/metrics', { schema: { summary: 'Figures for Prometheus', tags: ['health'], querystring: z.strictObject({}) } }, function* (_request, reply) {
    figures = yield* fromPromise(observer.ask('figures'))
    reply.type(registry.contentType)
    return yield* fromPromise(registry.metrics())
  })
}
