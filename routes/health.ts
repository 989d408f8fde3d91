// Whether the server lives, and whether it is ready for requests: not while it shuts down. Without its observer it is ready:
// it serves as before, and the observer restarts by itself, so this is only reported. Otherwise an app would go down, server
// after server, only because it is not watched.
import { z } from 'zod'
import type { App } from '../src/server/app.ts'
import { errorBody } from '../src/http/errors.ts'
import { Refusal } from '../src/http/refusals.ts'
import { healthz } from '../src/http/routes/health.ts'

const readiness = z.object({
  status: z.enum(['ok', 'degraded']).describe('degraded: it serves, but without its observer'),
  observer: z.enum(['up', 'down']), reason: z.string().optional(), uptime: z.number(),
})

export default function health(app: App): void {
  healthz(app)

  app.get('/readyz', { schema: { summary: 'It takes requests', tags: ['health'], querystring: z.strictObject({}), response: { 200: readiness, 503: errorBody } } },
    function* () {
      if (app.draining.since !== null) throw new Refusal('closing', 'the server is closing')
      const { up, down } = app.observer
      if (up) return { status: 'ok', observer: 'up', uptime: process.uptime() }
      return { status: 'degraded', observer: 'down', reason: down?.message ?? 'the observer is starting', uptime: process.uptime() }
    })
}
