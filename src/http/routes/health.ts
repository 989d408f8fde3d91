// Whether the server lives, whether its loop turns, and whether it is ready for requests. On the app's port the loop itself
// answers, so an answer means that it turns. The observer's port answers in any case, and distinguishes late from wedged.
import { z } from 'zod'
import type { FastifyReply } from 'fastify'
import { loopInfo } from '../../events/schema.ts'
import { bodyOf, errorBody } from '../errors.ts'
import { wholeOr } from '../fields.ts'
import { paths } from '../paths.ts'
import { Refusal } from '../refusals.ts'
import { serve, type HttpServer } from '../server.ts'
import { LEAST_LIMIT_MS, MOST_LIMIT_MS, READY_MS, type Turning } from '../turning.ts'

export interface Health {
  /** Whether the loop is blocked, where another thread answers. */
  blocked?: boolean
  turning: Turning
  /** The server closes, and takes no further requests. */
  closing: boolean
  /** Why there is no observer; `null` if there is one. */
  observerDown: string | null
}

const turning = z.object({
  state: z.enum(['turning', 'late', 'wedged']).describe('late: it has not turned for the time of a stall; wedged: for longer than the limit'),
  lateMs: z.number().describe('for how many ms it has not turned, without the time in which the machine gave it no processor'),
  since: z.iso.datetime().nullable().describe('when it last turned, if it is late'),
  limitMs: z.int(), blocked: loopInfo.shape.blocked.describe('what blocks it now'),
})
const lives = turning.extend({ status: z.literal('ok'), alive: z.literal(true) })
const wedged = errorBody.extend({ ...turning.shape, alive: z.literal(false) })
const ready = turning.extend({
  status: z.enum(['ok', 'degraded']).describe('degraded: it serves, but without its observer'),
  observer: z.enum(['up', 'down']), reason: z.string().optional(), uptime: z.number(),
})
const healthy = z.object({ status: z.literal('ok'), uptime: z.number(), blocked: z.boolean().optional().describe('whether the loop is blocked, where another thread answers') })

/** `wedgedMs` is the limit of `/livez` for a query that has none. */
export function health(app: HttpServer, wedgedMs: number, read: () => Health): void {
  const tags = ['health']
  const limit = (usual: number) => z.strictObject({
    limitMs: wholeOr(usual, LEAST_LIMIT_MS, MOST_LIMIT_MS).describe('for how many ms the loop may be late'),
  })

  serve(app, 'GET', paths.healthz, { summary: 'It lives', tags, querystring: z.strictObject({}), response: { 200: healthy } }, () => {
    const { blocked } = read()
    return { status: 'ok', uptime: process.uptime(), ...(blocked === undefined ? {} : { blocked }) }
  })

  serve(app, 'GET', paths.livez, {
    summary: 'Its loop turns', tags, querystring: limit(wedgedMs), response: { 200: lives, 503: wedged },
    description: 'For a probe that restarts what does not live: ask the observer\'s port, which answers while the loop is blocked. A late loop is alive; one that has not turned for limitMs is wedged.',
  }, ({ query: { limitMs } }, reply) => {
    const { turning } = read()
    if (turning.lateMs <= limitMs) return { status: 'ok', alive: true, ...turning, limitMs }
    return refuse(reply, 'loop-wedged', { ...turning, state: 'wedged', limitMs }, { alive: false })
  })

  serve(app, 'GET', paths.readyz, {
    summary: 'It takes requests', tags, querystring: limit(READY_MS), response: { 200: ready, 503: errorBody.extend(turning.partial().shape) },
    description: 'For a proxy that chooses between processes. On the observer\'s port, a loop that has been late for longer than limitMs is not ready.',
  }, ({ query: { limitMs } }, reply) => {
    const { turning, closing, observerDown } = read()
    if (closing) throw new Refusal('closing', 'the server is closing')
    if (turning.lateMs > limitMs) return refuse(reply, 'loop-late', { ...turning, limitMs })
    const observer = observerDown === null ? { status: 'ok', observer: 'up' } : { status: 'degraded', observer: 'down', reason: observerDown }
    return { ...observer, uptime: process.uptime(), ...turning, limitMs }
  })
}

/** An error with the facts by which it was judged. */
function refuse(reply: FastifyReply, code: 'loop-wedged' | 'loop-late', told: Omit<Turning, 'state'> & { state: string; limitMs: number }, more: object = {}): object {
  const { lateMs, limitMs, blocked } = told
  reply.code(503).header('retry-after', '1')
  const what = blocked === null ? '' : `: ${blocked.name} blocks it`
  return { ...bodyOf(code, `the loop has not turned for ${Math.round(lateMs)} ms, longer than ${limitMs} ms${what}`), ...more, ...told }
}
