// Whether the server lives.
import { z } from 'zod'
import { paths } from '../paths.ts'
import { serve, type HttpServer } from '../server.ts'

const answer = z.object({ status: z.literal('ok'), uptime: z.number(), blocked: z.boolean().optional().describe('whether the loop is blocked, where another thread answers') })

/** `more` is what only this port reports. */
export function healthz(app: HttpServer, more: () => { blocked?: boolean } = () => ({})): void {
  serve(app, 'GET', paths.healthz, { summary: 'It lives', tags: ['health'], querystring: z.strictObject({}), response: { 200: answer } },
    () => ({ status: 'ok', uptime: process.uptime(), ...more() }))
}
