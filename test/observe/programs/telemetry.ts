// A server whose requests have spans of OpenTelemetry; one of two blocks the thread. It prints the spans with their events, and
// the metrics. TRACE, METRICS and CONTEXT are where the packages are.
import { AsyncResource } from 'node:async_hooks'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { observe } from '../../../src/observe/index.ts'

interface Span { name: string; events: { name: string; attributes: object }[]; spanContext: () => { traceId: string }; end: () => void }
type Loose = Record<string, new (...args: unknown[]) => Record<string, (...args: unknown[]) => unknown>>
interface Api {
  trace: { setGlobalTracerProvider: (provider: unknown) => void; getTracer: (name: string) => { startActiveSpan: (name: string, fn: (span: Span) => unknown) => unknown } }
  context: { setGlobalContextManager: (manager: unknown) => void }
  metrics: { setGlobalMeterProvider: (provider: unknown) => void }
}

const load = <T>(variable: string): T => createRequire(import.meta.url)(process.env[variable] as string) as T
const { trace, context, metrics } = createRequire(`${process.env['CONTEXT']}/`)('@opentelemetry/api') as Api
const { BasicTracerProvider, SimpleSpanProcessor, InMemorySpanExporter } = load<Loose>('TRACE')
const { MeterProvider, PeriodicExportingMetricReader, InMemoryMetricExporter } = load<Loose>('METRICS')
const { AsyncLocalStorageContextManager } = load<Loose>('CONTEXT')

const spans = new InMemorySpanExporter!()
trace.setGlobalTracerProvider(new BasicTracerProvider!({ spanProcessors: [new SimpleSpanProcessor!(spans)] }))
context.setGlobalContextManager(new AsyncLocalStorageContextManager!()['enable']!())
const exporter = new InMemoryMetricExporter!(1)
const meters = new MeterProvider!({ readers: [new PeriodicExportingMetricReader!({ exporter, exportIntervalMillis: 1e6 })] })
metrics.setGlobalMeterProvider(meters)

function block(): void {
  const { user, system } = process.cpuUsage()
  for (let used = 0; used < 150_000;) {
    const now = process.cpuUsage()
    used = now.user + now.system - user - system
  }
}

let stalled: () => void = () => {}
const over = new Promise<void>((resolve) => { stalled = resolve })
await observe({ port: null, logStalls: false, onStall: ({ name }) => { if (name.includes('/report')) stalled() } })
const tracer = trace.getTracer('test')
const server = createServer((request, response) => {
  void tracer.startActiveSpan(request.url as string, async (span) => {
    await sleep(50)
    if (request.url === '/report') block()
    response.end()
    span.end()
  })
})
await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
await new AsyncResource('clients').runInAsyncScope(() => Promise.all(['/before', '/report', '/after'].map(async (path) => (await fetch(url + path)).text())))
await over
await meters['forceFlush']!()
const [{ scopeMetrics: [scope] }] = exporter['getMetrics']!() as [{ scopeMetrics: { scope: { name: string }; metrics: { descriptor: { name: string; unit: string }; dataPoints: { value: { count: number; sum: number } }[] }[] }[] }]
const found = spans['getFinishedSpans']!() as Span[]
console.log(JSON.stringify({
  spans: found.map((span) => ({ name: span.name, traceId: span.spanContext().traceId, events: span.events.map(({ name, attributes }) => ({ name, attributes })) })),
  meter: scope?.scope.name, metrics: scope?.metrics.map(({ descriptor: { name, unit }, dataPoints: [point] }) => ({ name, unit, ...point?.value })),
}))
process.exit()
