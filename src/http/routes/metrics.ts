// Metrics for Prometheus, read at each request: those of the observer, left out while it does not run, and those of only this
// port's thread, in `own`. A name has the same meaning on both ports.
import type { Registry } from 'prom-client'
import { z } from 'zod'
import { errorBody } from '../errors.ts'
import type { Figures, Monitor } from '../monitor.ts'
import { negotiate } from '../negotiate.ts'
import { paths } from '../paths.ts'
import { exposeFigure } from '../prometheus.ts'
import type { Refusal } from '../refusals.ts'
import { serve, type HttpServer } from '../server.ts'

export function metrics(app: HttpServer, monitor: Monitor, own: Registry): void {
  exposeFigure(own, 'process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss())
  exposeFigure(own, 'process_cpu_seconds_total', 'Processor time of all threads of the process', () => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1e6
  })
  exposeFigure(own, 'process_uptime_seconds', 'Seconds since the process began', () => process.uptime())

  serve(app, 'GET', paths.metrics, {
    summary: 'Figures', description: 'For Prometheus, or JSON on request.', tags: ['health'], querystring: z.strictObject({}), response: { 406: errorBody },
  }, async (request, reply) => {
    const type = negotiate(request.headers.accept, ['text/plain', 'application/json'])
    const { text, values } = await figuresOf(monitor)
    if (type === 'application/json') return { ...values, ...Object.fromEntries((await own.getMetricsAsJSON()).map((one) => [one.name, one.values[0]?.value])) }
    reply.type(own.contentType)
    return `${text}${await own.metrics()}`
  })
}

async function figuresOf(monitor: Monitor): Promise<Figures> {
  try {
    return await monitor.metrics()
  } catch (error) {
    if ((error as Refusal).code === 'observer-down') return { text: '', values: {} }
    throw error
  }
}
