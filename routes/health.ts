// Whether the server lives, and whether it should be sent requests: it should not once it is on its way down.
import { z } from 'zod'
import type { App } from '../src/server/app.ts'
import { errorBody, HttpError } from '../src/server/errors.ts'

const answer = z.object({ status: z.literal('ok'), uptime: z.number() })
const querystring = z.strictObject({})

export default function health(app: App): void {
  app.get('/healthz', { schema: { summary: 'It lives', tags: ['health'], querystring, response: { 200: answer } } }, function* () {
    return { status: 'ok', uptime: process.uptime() }
  })

  app.get('/readyz', { schema: { summary: 'It takes requests', tags: ['health'], querystring, response: { 200: answer, 503: errorBody } } },
    function* () {
      if (app.draining.since !== null) throw new HttpError(503, 'the server is closing')
      return { status: 'ok', uptime: process.uptime() }
    })
}
