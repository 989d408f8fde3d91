// Why a request is refused: errors that handlers and what they call may throw. Each has a code for programs and a message for
// people; errors.ts maps it to a status.

/** Every code, and the status that it is answered with. docs/errors.md explains each one. */
export const STATUSES = {
  'invalid-query': 400, 'invalid-path': 400, 'invalid-body': 400, 'invalid-header': 400, 'invalid-request': 400, 'no-websocket': 400,
  'unknown-host': 403, 'foreign-site': 403, 'forbidden': 403,
  'no-such-route': 404, 'no-such-loop': 404, 'no-such-task': 404, 'no-such-run': 404, 'no-such-stall': 404, 'no-such-example': 404, 'no-such-lab': 404, 'no-such-file': 404,
  'method-not-allowed': 405, 'not-acceptable': 406, 'request-timeout': 408,
  'run-has-ended': 409, 'lab-has-ended': 409, 'lab-is-running': 409,
  'precondition-failed': 412, 'body-too-large': 413, 'path-too-long': 414, 'unsupported-media-type': 415, 'range-not-satisfiable': 416, 'expectation-failed': 417, 'rate-limited': 429, 'headers-too-large': 431,
  'internal-error': 500, 'app-does-not-answer': 502, 'self-call-failed': 502,
  'observer-down': 503, 'loop-does-not-answer': 503, 'loop-wedged': 503, 'loop-late': 503, 'app-not-listening': 503, 'closing': 503, 'task-cancelled': 503, 'page-not-built': 503, 'redis-unavailable': 503,
  'too-many-requests': 503, 'too-many-subscribers': 503, 'too-many-downloads': 503, 'too-many-runs': 503, 'too-many-unread': 503, 'too-many-calls': 503,
  'timeout': 504,
} as const

export type Code = keyof typeof STATUSES

export function isCode(code: unknown): code is Code {
  return typeof code === 'string' && Object.hasOwn(STATUSES, code)
}

export interface RefusalOptions {
  /** The fields that are wrong. */
  details?: { field: string; message: string }[] | undefined
  headers?: Record<string, string> | undefined
}

/** An error whose message is meant for the client. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly code: Code
  readonly details: RefusalOptions['details']
  readonly headers: Record<string, string>

  constructor(code: Code, message: string, { details, headers = {} }: RefusalOptions = {}) {
    super(message)
    this.code = code
    this.details = details
    this.headers = headers
  }
}

/** One field is wrong. */
export function badField(code: 'invalid-query' | 'invalid-body' | 'invalid-header', field: string, message: string): Refusal {
  return new Refusal(code, `${field}: ${message}`, { details: [{ field, message }] })
}

export const noSuchTask = (task: number): Refusal => new Refusal('no-such-task', `there is no live task ${task}: GET /tasks lists them`)

export const noSuchRun = (run: number): Refusal => new Refusal('no-such-run', `there is no run ${run}, or it is too long ago: GET /runs lists what is kept`)

export const noSuchStall = (stall: number): Refusal =>
  new Refusal('no-such-stall', `there is no trace of a stall ${stall}: GET /stalls lists what is kept, and which have one`)

export const noSuchProfile = (stall: number): Refusal =>
  new Refusal('no-such-stall', `there is no profile of a stall ${stall}: GET /stalls lists what is kept, and which have one`)

export const noSuchLoop = (loop: string, known: readonly string[]): Refusal =>
  new Refusal('no-such-loop', `there is no loop ${loop}, or it is too long ago: GET /loops lists ${known.join(', ')}`)

/** A request to cancel something was not answered; `loop` is `null` for the loop of this process. */
export const loopDoesNotAnswer = (loop: string | null): Refusal => new Refusal('loop-does-not-answer', loop === null
  ? 'the app\'s event loop is blocked; the cancellation takes effect when it resumes'
  : `the loop ${loop} has not answered: it is blocked, or it cannot be reached: see GET /loops`)
