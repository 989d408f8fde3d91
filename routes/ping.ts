// The probe: does nothing, so all of its response time is delay.
import { z } from 'zod'
import type { App } from '../src/server/app.ts'

const answer = z.object({
  t: z.number().describe('seconds on the loop\'s clock'),
  lag: z.number().describe('seconds for which this request was ready, but the loop was blocked; an upper bound'),
})

export default function ping(app: App): void {
  const { loop } = app.loopscope
  app.get('/ping', { schema: { summary: 'Answer at once', tags: ['probe'], querystring: z.strictObject({}), response: { 200: answer } } },
    function* (request) {
      return { t: loop.time(), lag: round(request.loopscope?.timing.ready ?? 0) }
    })
}

function round(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6
}
