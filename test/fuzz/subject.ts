// The server under attack, in a separate process, and all that is checked after each batch: whether it is as before.
import { createServer, type Server as NetServer } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { request } from 'node:http'
import { startServer, type Server } from '../observe/support.ts'
import { ask, describe, footprint, type Footprint } from '../support/footprint.ts'
import type { Port, Route, Schema, Surface } from './try.ts'
import type { Finding } from './judge.ts'

/** Small, so that requests cost little; and without a rate limit, which would answer most of the tries. */
const ENV = { RATE_LIMIT: '0', MAX_MS: '10', MAX_RUNS: '100', HISTORY: '2000', GRACE_SECONDS: '2' }
/** Routes that the description of the API does not contain: files, the pages. */
const MORE: readonly [method: string, path: string, query: Record<string, Schema>][] = [
  ['GET', '/view', {}], ['GET', '/view/{file}', {}], ['GET', '/docs', {}], ['GET', '/docs/json', {}], ['GET', '/docs/static/{file}', {}],
]
/** How many more descriptors than at the start the process may have: threads and connections to itself come and go. */
const MORE_DESCRIPTORS = 400
const MORE_BYTES = 500e6
/** How long it may take until everything is as before, in ms. */
const SETTLE_MS = 20_000
const SAYS = 'this is another server, which must not be called'

interface Described {
  paths: Record<string, Record<string, { parameters?: { name: string; in: string; schema: Schema }[]; requestBody?: unknown }>>
}

export class Subject {
  readonly server: Server
  readonly surface: Omit<Surface, 'calling'>
  readonly #sentinel: NetServer
  /** The targets with which the sentinel was called. */
  readonly #called: string[]
  readonly #before: Footprint
  #read = 0

  private constructor(server: Server, surface: Omit<Surface, 'calling'>, sentinel: NetServer, called: string[], before: Footprint) {
    this.server = server
    this.surface = surface
    this.#sentinel = sentinel
    this.#called = called
    this.#before = before
  }

  static async start(test: { teardown(fn: () => unknown): void }, root?: string): Promise<Subject> {
    const called: string[] = []
    const sentinel = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', (bytes) => {
        called.push(bytes.toString('latin1').split('\r\n', 1)[0] ?? '')
        socket.end(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${SAYS.length}\r\n\r\n${SAYS}`)
      })
      // A connection that sends nothing counts as well.
      socket.once('close', () => socket.bytesRead === 0 && called.push('a connection'))
    }).listen(0, '127.0.0.1')
    await once(sentinel, 'listening')
    test.teardown(() => sentinel.close())
    const server = await startServer(test, ENV, root === undefined ? {} : { root })
    const { paths } = JSON.parse((await ask(`${server.url}/openapi.json`)).body) as Described
    const routes: Route[] = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({ method: method.toUpperCase(), path, parameters, body: requestBody !== undefined })))
    for (const [method, path, query] of MORE) routes.push({ method, path, parameters: Object.entries(query).map(([name, schema]) => ({ name, in: 'query', schema })), body: false })
    // What is made once, such as threads and connections to itself, exists before it is counted.
    for (const target of ['/handlers/sync?ms=1&thread=pool', '/handlers/sync?ms=1&thread=sensitive', '/handlers/fetch?n=2&ms=1', '/docs/json']) await ask(`${server.url}${target}`)
    await ask(`${server.observer}/handlers/async?ms=1`)
    const surface = {
      routes, hosts: { app: new URL(server.url).host, observer: new URL(server.observer).host }, sentinel: { host: `127.0.0.1:${(sentinel.address() as AddressInfo).port}`, says: SAYS },
    }
    return new Subject(server, surface, sentinel, called, await footprint(server))
  }

  get ports(): Record<Port, number> {
    const { hosts } = this.surface
    return { app: Number(hosts.app.split(':')[1]), observer: Number(hosts.observer.split(':')[1]) }
  }

  get alive(): boolean {
    return this.server.child.exitCode === null && this.server.child.signalCode === null
  }

  /** What is not as before. All that the tries have begun must have ended, or end by itself. */
  async check(): Promise<Finding[]> {
    const findings = [...this.#newLines(), ...this.#called.splice(0).map((target) => ({ expected: 'no call of another server', came: target }))]
    if (!this.alive) return [...findings, { expected: 'the server lives', came: `it ended with ${this.server.child.exitCode ?? this.server.child.signalCode}` }]
    try {
      const { url, observer } = this.server
      for (const path of [`${url}/healthz`, `${observer}/healthz`, `${url}/readyz`]) {
        const { status, body } = await ask(path)
        if (status !== 200) findings.push({ expected: `${path} is ok`, came: `${status} ${body}` })
      }
      const problem = await this.#settle()
      if (problem !== null) findings.push(problem)
    } catch (error) {
      findings.push({ expected: 'both ports answer', came: String(error) })
    }
    return findings
  }

  /** Ends it by a signal. */
  async stop(): Promise<Finding[]> {
    const { child, ended } = this.server
    if (!this.alive) return []
    child.kill('SIGTERM')
    const code = await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, SETTLE_MS, `nothing for ${SETTLE_MS} ms`).unref())])
    return [...this.#newLines(), ...(code === 0 ? [] : [{ expected: 'SIGTERM ends it with 0', came: String(code) }])]
  }

  async #settle(): Promise<Finding | null> {
    const until = performance.now() + SETTLE_MS
    for (;;) {
      const now = await footprint(this.server)
      const { tasks, observed, runs, subscribers, connections, descriptors, resident } = now
      const left = tasks + observed + runs + subscribers > 0 || connections > 0
      const more = descriptors > this.#before.descriptors + MORE_DESCRIPTORS || resident > this.#before.resident + MORE_BYTES
      if (!left && !more) return null
      if (performance.now() > until) {
        const { body } = await ask(`${this.server.url}/tasks`)
        return { expected: `as before (${describe(this.#before)})`, came: `${describe(now)}\n${body.slice(0, 2000)}` }
      }
      if (tasks > 0) await this.#cancelLabs()
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** A lab takes seconds, and is not a leak. */
  async #cancelLabs(): Promise<void> {
    const { labs } = JSON.parse((await ask(`${this.server.url}/lab`)).body) as { labs: { lab: number; outcome: string | null }[] }
    for (const { lab } of labs.filter(({ outcome }) => outcome === null)) {
      await new Promise((resolve) => request(`${this.server.url}/lab/${lab}`, { method: 'DELETE', agent: false }, (response) => response.resume().on('close', resolve)).on('error', resolve).end())
    }
  }

  /** Lines of the log that are errors, or are not log lines. */
  #newLines(): Finding[] {
    const lines = this.server.log().slice(this.#read).split('\n')
    this.#read += this.server.log().length - this.#read - (lines.pop() as string).length
    const bad = lines.filter((line) => {
      if (!line.startsWith('{')) return /^\s+at |Error|Warning/.test(line)
      try {
        return (JSON.parse(line) as { level: number }).level >= 50
      } catch {
        return true
      }
    })
    return bad.map((line) => ({ expected: 'no error in the log', came: line }))
  }
}
