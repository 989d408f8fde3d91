// OpenTelemetry in a program that uses it, with its real packages: an event on the span that blocks, and a histogram.
import t from 'tap'
import { packaged } from '../support/nodes.ts'
import { start } from './support.ts'

const needed = {
  TRACE: await packaged('@opentelemetry/sdk-trace-base', '2'),
  METRICS: await packaged('@opentelemetry/sdk-metrics', '2'),
  CONTEXT: await packaged('@opentelemetry/context-async-hooks', '2'),
}
const missing = Object.values(needed).flatMap((one) => ('missing' in one ? [one.missing] : []))

t.test('the span whose code blocks has an event, no other has, and stalls are in a histogram', { skip: missing.join('; ') }, async (t) => {
  const env = Object.fromEntries(Object.entries(needed).map(([name, one]) => [name, 'path' in one ? one.path : '']))
  const program = start(t, 'test/observe/programs/telemetry.ts', env)
  t.equal(await program.ended, 0, program.log())
  const { spans, meter, metrics } = JSON.parse(/^\{.*\}$/m.exec(program.log())![0]) as {
    spans: { name: string; traceId: string; events: { name: string; attributes: Record<string, number> }[] }[]
    meter: string
    metrics: { name: string; unit: string; count: number; sum: number; buckets: { boundaries: number[] } }[]
  }
  t.same(spans.map(({ name }) => name).sort(), ['/after', '/before', '/report'])
  t.match(spans.find(({ name }) => name === '/report'), { traceId: /^[0-9a-f]{32}$/, events: [{ name: 'event loop blocked', attributes: { 'loopscope.blocked.seconds': Number } }] })
  t.same(spans.filter(({ name, events }) => name !== '/report' && events.length > 0), [])
  t.equal(meter, 'loopscope')
  t.match(metrics, [{ name: 'loopscope.stall.duration', unit: 's', buckets: { boundaries: [0.05, 0.1, 0.25] } }])
  t.ok(metrics[0]!.count >= 1 && metrics[0]!.sum >= 0.1, JSON.stringify(metrics))
})
