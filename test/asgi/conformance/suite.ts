// How a case is judged: it does something with the server over sockets and compares what came with what the specification
// says. A case that ends well has passed.
import { isDeepStrictEqual } from 'node:util'
import { Connection, NoAnswer, PATIENCE, utf8, type Address, type Response } from './client.ts'
import { pairs, bytes, type Encoded, type Message, type RunRecord, type Sent, type Step } from './contract.ts'
import type { Running, StartOptions, Target } from './targets.ts'

export interface Case {
  /** The requirement: docs/asgi-conformance.md lists them. */
  id: string
  title: string
  /** `must`: the text says must, or states it as a fact; `should`: it says should, or it follows from other rules. */
  level: 'must' | 'should'
  /** Of the specification. */
  section: string
  /** The version of the HTTP and WebSocket messages that introduced it: a server that announces an older one is not judged. */
  since?: string
  /** An extension: a server that does not announce it is not judged. */
  extension?: string
  run: (driver: Driver) => Promise<void>
}

/** A requirement, or a part of one, that cannot be seen over sockets, and what covers it for our server. */
export interface Unobservable extends Pick<Case, 'id' | 'title' | 'level' | 'section'> {
  why: string
}

export type Outcome = 'passed' | 'failed' | 'not supported' | 'not observable'

export interface Verdict extends Pick<Case, 'id' | 'title' | 'level' | 'section'> {
  outcome: Outcome
  /** Of a failed case: what the specification asks for, and what came. Else why it was not judged. */
  expected?: string
  got?: string
  why?: string
}

class Mismatch extends Error {
  readonly expected: string
  readonly got: string

  constructor(expected: string, got: string) {
    super(`expected ${expected}, got ${got}`)
    this.expected = expected
    this.got = got
  }
}

class NotSupported extends Error {}

const short = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value) ?? 'nothing').slice(0, 400)

/** Fails the case unless both are the same. */
export function same(got: unknown, expected: unknown, what = ''): void {
  if (!isDeepStrictEqual(got, expected)) throw new Mismatch(`${what === '' ? '' : `${what}: `}${short(expected)}`, short(got))
}

/** Fails the case unless `condition` is true. */
export function check(condition: boolean, expected: string, got: unknown): asserts condition {
  if (!condition) throw new Mismatch(expected, short(got))
}

/** Leaves the case without a verdict of failure: the specification lets a server go without it. */
export function notSupported(why: string): never {
  throw new NotSupported(why)
}

export interface RequestOptions {
  method?: string
  path?: string
  version?: '1.0' | '1.1'
  headers?: [name: string, value: string][]
  body?: string
  key?: string
  keepAlive?: boolean
}

let keys = 0

/** A key for a record, which no other call has. */
export const newKey = (): string => `k${++keys}`

/** A script as the value of a header. */
export const asHeader = (script: Step[]): string => JSON.stringify(script).replace(/[^\x20-\x7e]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** The head of a request for a script, and its body. */
export function requestText(script: Step[], { method = 'GET', path = '/', version = '1.1', headers = [], body = '', key = newKey(), keepAlive = false }: RequestOptions = {}): string {
  const all = [['Host', 'conformance.test'], ...keepAlive ? [] : [['Connection', 'close']], ...headers, ['x-script', asHeader(script)], ['x-key', key]]
  return `${method} ${path} HTTP/${version}\r\n${all.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`
}

const RECORD_LOOK_MS = 20

/** What cases work with: the server that runs, connections to it, and the records of its application. */
export class Driver {
  readonly target: Target
  readonly running: Running
  /** What the server announced in its scopes. */
  announced: { http: RunRecord['scope']; websocket: RunRecord['scope'] | null } = { http: {}, websocket: null }
  readonly #open: Connection[] = []

  constructor(target: Target, running: Running) {
    this.target = target
    this.running = running
  }

  /** The address with TLS; a case that needs it is not judged without. */
  get secure(): Address {
    return this.running.secure ?? notSupported('the suite was given no address with TLS')
  }

  connect(address = this.running.address): Connection {
    const connection = new Connection(address)
    this.#open.push(connection)
    return connection
  }

  /** Ends all connections of a case. */
  closeAll(): void {
    for (const connection of this.#open.splice(0)) connection.close()
  }

  /** Starts another server with other options; a case that needs it is not judged where the suite cannot start the server. */
  async start(options: StartOptions): Promise<Running> {
    if (this.target.start === null) notSupported('the suite was given a URL, and cannot start the server itself')
    return this.target.start(options)
  }

  /** Runs a script and returns the response, and the record once the application has ended. */
  async call(script: Step[], options: RequestOptions = {}): Promise<{ response: Response; record: RunRecord }> {
    const key = options.key ?? newKey()
    const connection = this.connect()
    connection.write(requestText(script, { ...options, key }))
    const response = await connection.response(options.method)
    return { response, record: await this.record(key) }
  }

  /** Runs a script of a WebSocket; the handshake is under way. */
  handshake(script: Step[], { path = '/', headers = [], key = newKey() }: { path?: string; headers?: [string, string][]; key?: string } = {}, address?: Address): { connection: Connection; key: string } {
    const connection = this.connect(address)
    const upgrade: [string, string][] = [['Upgrade', 'websocket'], ['Connection', 'Upgrade'], ['Sec-WebSocket-Version', '13'], ['Sec-WebSocket-Key', 'Y29uZm9ybWFuY2Ugc3VpdA==']]
    connection.write(requestText(script, { path, keepAlive: true, headers: [...upgrade, ...headers], key }))
    return { connection, key }
  }

  /** Opens a WebSocket; the script has to accept it. */
  async open(script: Step[], options: Parameters<Driver['handshake']>[1] = {}): Promise<{ connection: Connection; key: string; response: Response }> {
    const { connection, key } = this.handshake(script, options)
    const response = await connection.response()
    same(response.status, 101, 'status of the handshake')
    return { connection, key, response }
  }

  /** A record as it is now; null if the application was not called with this key. */
  async peek(key: string): Promise<RunRecord | null> {
    const connection = new Connection(this.running.address)
    try {
      connection.write(`GET /records/${key} HTTP/1.1\r\nHost: conformance.test\r\nConnection: close\r\n\r\n`)
      return JSON.parse(utf8((await connection.response()).body)) as RunRecord | null
    } finally {
      connection.close()
    }
  }

  /** A record once `ready`, by default when the application has ended; after a while as it is. */
  async record(key: string, ready = ({ ended }: RunRecord): boolean => ended !== null, ms = PATIENCE): Promise<RunRecord> {
    for (const late = performance.now() + ms; ;) {
      const record = await this.peek(key)
      if (record !== null && (ready(record) || performance.now() > late)) return record
      if (performance.now() > late) throw new Mismatch('a call of the application', 'none')
      await new Promise((resolve) => setTimeout(resolve, RECORD_LOOK_MS))
    }
  }
}

/** The messages that were received, null where nothing came in time. */
export function received(record: RunRecord): (Message | null)[] {
  return record.log.flatMap((entry) => ('received' in entry ? [entry.received] : []))
}

/** How each `send` ended. */
export function sent(record: RunRecord): Sent[] {
  return record.log.filter((entry): entry is Sent => 'sent' in entry)
}

export const start = (headers: [string, string][] = [], status = 200, more: Message = {}): Step => ['send', { type: 'http.response.start', status, headers: pairs(headers), ...more }]
export const body = (text: string, more = false): Step => ['send', { type: 'http.response.body', body: bytes(text), more_body: more }]
/** An answer of two bytes. */
export const OK: Step[] = [start([['content-length', '2']]), body('ok')]
export const ACCEPT: Step[] = [['receive'], ['send', { type: 'websocket.accept' }]]

const versionOf = (scope: RunRecord['scope'] | null): string => ((scope?.['asgi'] as Record<string, Encoded> | undefined)?.['spec_version'] ?? '2.0') as string
const extensionsOf = (scope: RunRecord['scope'] | null): Record<string, Encoded> => (scope?.['extensions'] ?? {}) as Record<string, Encoded>

/** Whether a server is judged by a case; else why not. */
function unsupported({ id, since, extension }: Case, { announced, running }: Driver): string | null {
  const scope = id.startsWith('W') || extension?.startsWith('websocket.') === true ? announced.websocket : announced.http
  if (since !== undefined && versionOf(scope) < since) return `came with version ${since} of the specification; the server announces ${versionOf(scope)}`
  // What a scope of TLS or of HTTP/2 announces, the case looks at itself.
  if (extension === undefined || ['http.response.push', 'tls'].includes(extension)) return extension !== undefined && running.secure === null ? 'the suite was given no address with TLS' : null
  return extension in extensionsOf(scope) ? null : `the server does not announce ${extension}`
}

async function judge(one: Case, driver: Driver): Promise<Verdict> {
  const { id, title, level, section } = one
  const verdict = { id, title, level, section }
  try {
    const why = unsupported(one, driver)
    if (why !== null) return { ...verdict, outcome: 'not supported', why }
    await one.run(driver)
    return { ...verdict, outcome: 'passed' }
  } catch (error) {
    if (error instanceof NotSupported) return { ...verdict, outcome: 'not supported', why: error.message }
    if (error instanceof Mismatch) return { ...verdict, outcome: 'failed', expected: error.expected, got: error.got }
    if (error instanceof NoAnswer) return { ...verdict, outcome: 'failed', expected: 'an answer', got: error.message }
    throw new Error(`case "${id} ${title}": ${(error as Error).message}`, { cause: error })
  } finally {
    driver.closeAll()
  }
}

/** Judges a server by these cases. Throws an Error if it cannot be reached, or does not serve the suite's application. */
export async function judgeAll(target: Target, cases: Case[], unobservable: Unobservable[], progress: (verdict: Verdict) => void = () => {}): Promise<Verdict[]> {
  const running = target.running ?? await (target.start as NonNullable<Target['start']>)({})
  try {
    const driver = new Driver(target, running)
    await announcements(driver)
    const verdicts: Verdict[] = []
    const add = (verdict: Verdict): void => {
      verdicts.push(verdict)
      progress(verdict)
    }
    for (const one of cases) add(await judge(one, driver))
    for (const { why, ...one } of unobservable) add({ ...one, outcome: 'not observable', why })
    return verdicts
  } finally {
    await running.stop()
  }
}

/** Looks at what the server announces. */
async function announcements(driver: Driver): Promise<void> {
  try {
    driver.announced.http = (await driver.call([['drain'], ...OK])).record.scope
    const { connection, key } = driver.handshake(ACCEPT)
    await connection.response()
    driver.announced.websocket = (await driver.record(key, () => true)).scope
  } catch (error) {
    if (Object.keys(driver.announced.http).length === 0) {
      throw new Error(`${driver.target.name} does not serve the suite's application: ${(error as Error).message}`, { cause: error })
    }
  } finally {
    driver.closeAll()
  }
}
