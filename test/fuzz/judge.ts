// Judges an outcome: what was expected, and what came instead.
import { isCode, STATUSES } from '../../src/http/refusals.ts'
import type { Answer } from './answers.ts'
import type { Outcome } from './client.ts'
import type { Try } from './try.ts'

export interface Finding {
  expected: string
  came: string
}

const SHAPE = new Set(['statusCode', 'code', 'error', 'message', 'details'])

function show({ status, headers, body }: Answer): string {
  return `${status} ${headers.get('content-type') ?? ''} ${JSON.stringify(body.slice(0, 300))}`
}

/** What is wrong with the body of an error. */
function shapeProblem(answer: Answer): string | null {
  if (!/^application\/json/.test(answer.headers.get('content-type') ?? '')) return 'an error is JSON'
  let json: Record<string, unknown>
  try {
    json = JSON.parse(answer.body) as Record<string, unknown>
  } catch {
    return 'an error is JSON'
  }
  const { statusCode, code, error, message, details } = json
  if (!isCode(code)) return 'an error has a code of the table'
  if (STATUSES[code] !== answer.status) return 'an error\'s code goes with its status'
  if (statusCode !== answer.status) return 'an error\'s statusCode is its status'
  if (typeof error !== 'string' || error === '' || typeof message !== 'string' || message === '') return 'an error has an error and a message'
  if (details !== undefined && !(Array.isArray(details) && details.every((one: { field?: unknown; message?: unknown }) => typeof one.field === 'string' && typeof one.message === 'string'))) return 'details are fields and messages'
  const more = Object.keys(json).filter((name) => !SHAPE.has(name))
  return more.length === 0 ? null : `an error has no ${more.join(', ')}`
}

function judgeAnswer(answer: Answer, method: string | undefined, one: Try, says: string): Finding | null {
  const { status, headers, body } = answer
  const find = (expected: string): Finding => ({ expected, came: show(answer) })
  if (status >= 500 && status !== 503) return find('no failure inside')
  if (status >= 400 && method !== 'HEAD' && answer.whole) {
    const problem = shapeProblem(answer)
    if (problem !== null) return find(problem)
  }
  if (one.refused === true && status < 400) return find('this is refused')
  if (body.includes(says)) return find('nothing that another server says')
  for (const name of ['location', 'access-control-allow-origin', 'refresh', 'link']) {
    if (/evil|called-by/.test(headers.get(name) ?? '')) return { expected: `no ${name} that a client chose`, came: `${status} ${name}: ${headers.get(name)}` }
  }
  return null
}

export function judge(one: Try, { answers, frames, closed, cutOff, missing }: Outcome, says: string): Finding | null {
  const { all } = answers
  const came = (): string => `${all.map(show).join(', ') || 'no answer'}${closed ? ', and the connection was closed' : ''}`
  if (answers.problem !== null) return { expected: 'whole answers, one after the other', came: answers.problem }
  if (frames.problem !== null) return { expected: 'frames that a server may send', came: frames.problem }
  if (missing !== null) return { expected: one.ending === 'over' ? 'the connection is closed' : 'every request is answered', came: `${missing}: ${came()}` }
  for (const [at, answer] of all.entries()) {
    const finding = judgeAnswer(answer, one.methods[at], one, says)
    if (finding !== null) return finding
    const echo = one.echoes?.[at]
    if (echo !== undefined && answer.whole && answer.status < 429 && !answer.body.includes(echo)) return { expected: `answers in the order of their requests: ${echo}`, came: show(answer) }
  }
  if (all.length > one.most) return { expected: `at most ${one.most} answers`, came: came() }
  if (answers.continued > 0 && one.expects !== true) return { expected: 'no 100: nothing asked for it', came: came() }
  if (one.key !== undefined && answers.switched && all.at(-1)?.headers.get('sec-websocket-accept') !== one.key) return { expected: `sec-websocket-accept: ${one.key}`, came: came() }
  if (closed && (one.ending === 'answered' || one.ending === 'begun')) {
    if (cutOff !== null) return { expected: 'whole answers', came: `${cutOff}: ${came()}` }
    if (answers.whole < one.methods.length && all.at(-1)?.headers.get('connection') !== 'close') return { expected: 'every request is answered', came: came() }
  }
  return null
}
