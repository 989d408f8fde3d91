// The application that the driver works with, on loopscope; application.py is its twin, and docs/asgi-conformance.md has the
// contract of both. It runs the steps in the header x-script and records, under the key in x-key, its scope, what it received
// and how each send ended. GET /records/KEY answers a record.
import { appendFileSync, closeSync, mkdtempSync, openSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTask, sleep, wait, type Coroutine, type Task } from '../../../src/index.ts'
import { OSError, type Application, type LifespanScope, type Receive, type ReceiveEvent, type Scope, type Send, type SendEvent } from '../../../src/asgi/index.ts'
import type { Encoded, Entry, Flooded, Message, RunRecord, Sent, Step } from './contract.ts'

const MOST_RECORDS = 1000

export interface ApplicationOptions {
  /** What it does with its lifespan: `complete`, `slow`, `raise`, `raise-late`, `startup-failed`, `shutdown-failed`. */
  lifespan?: string
  /** A file to which it appends a line for each thing that happens in its life. */
  log?: string | undefined
}

export function createApplication({ lifespan: mode = 'complete', log: file }: ApplicationOptions = {}): Application {
  const digits = join(mkdtempSync(join(tmpdir(), 'asgi-conformance-')), 'digits')
  writeFileSync(digits, '0123456789')
  const records = new Map<string, RunRecord>()
  const log = (line: string): void => {
    if (file !== undefined) appendFileSync(file, `${line}\n`)
  }

  function* lifespan(scope: LifespanScope, receive: Receive, send: Send): Coroutine<void> {
    log('lifespan')
    if (mode === 'raise') throw new Error('no lifespan here')
    const record: RunRecord = { calls: 1, scope: shown(scope, false) as RunRecord['scope'], log: [], ended: null }
    records.set('lifespan', record)
    for (;;) {
      const event = yield* receive()
      record.log.push({ received: shown(event, true) as Message })
      log(`received ${event.type}`)
      if (mode === 'raise-late') throw new Error('no lifespan here')
      const phase = event.type.split('.')[1] as 'startup' | 'shutdown'
      if (phase === 'startup') Object.assign(scope.state, { shared: [], number: 1 })
      if (mode === 'slow') yield* sleep(0.5)
      log(`answers ${phase}`)
      if (mode === `${phase}-failed`) return yield* send({ type: `lifespan.${phase}.failed`, message: `${phase} cannot be done` })
      yield* send({ type: `lifespan.${phase}.complete` })
      if (phase === 'shutdown') return
    }
  }

  return function* app(scope, receive, send) {
    if (scope.type === 'lifespan') return yield* lifespan(scope, receive, send)
    const headers = new Map(Array.from(scope.headers, ([name, value]) => [latin1(name).toLowerCase(), latin1(value)]))
    const script = headers.get('x-script')
    if (script === undefined) {
      const record = records.get(scope.path.slice(scope.path.lastIndexOf('/records/') + '/records/'.length))
      return yield* respond(send, record === undefined ? 404 : 200, JSON.stringify(record ?? null))
    }
    const key = headers.get('x-key') as string
    log(`begins ${key}`)
    const record: RunRecord = { calls: (records.get(key)?.calls ?? 0) + 1, scope: shown(scope, false) as RunRecord['scope'], log: [], ended: null }
    records.set(key, record)
    if (records.size > MOST_RECORDS) records.delete([...records.keys()].find((name) => name !== 'lifespan') as string)
    try {
      yield* new Run(record, scope, receive, send, digits).run(JSON.parse(script) as Step[])
    } finally {
      log(`ends ${key}`)
    }
  }
}

/** One script that runs. */
class Run {
  #pending: Task<ReceiveEvent> | null = null
  readonly #files: number[] = []
  readonly #record: RunRecord
  readonly #scope: Scope
  readonly #receive: Receive
  readonly #send: Send
  readonly #digits: string

  constructor(record: RunRecord, scope: Scope, receive: Receive, send: Send, digits: string) {
    this.#record = record
    this.#scope = scope
    this.#receive = receive
    this.#send = send
    this.#digits = digits
  }

  *run(script: Step[]): Coroutine<void> {
    try {
      for (const step of script) yield* this.#step(step)
      this.#record.ended = 'returned'
    } catch (error) {
      this.#record.ended = (error as Error).name
      throw error
    } finally {
      this.#pending?.cancel()
      for (const file of this.#files) closeSync(file)
    }
  }

  #note<E extends Entry>(entry: E): E {
    this.#record.log.push(entry)
    return entry
  }

  /** Receives; null if nothing arrives in time. A receive is never cancelled: the next one continues it. */
  *#next(seconds?: number): Coroutine<ReceiveEvent | null> {
    const pending = this.#pending ??= createTask(this.#receive())
    const { done } = yield* wait([pending], { timeout: seconds ?? null })
    if (done.size === 0) return null
    this.#pending = null
    return pending.result()
  }

  *#step(step: Step): Coroutine<void> {
    switch (step[0]) {
      case 'receive':
        this.#note({ received: shown(yield* this.#next(step[1]), true) as Message | null })
        return
      case 'drain':
      case 'echo':
        for (;;) {
          const event = (yield* this.#next()) as ReceiveEvent
          this.#note({ received: shown(event, true) as Message })
          if (step[0] === 'echo' && event.type === 'websocket.receive') yield* this.#send({ ...event, type: 'websocket.send' })
          else if (event.type !== 'http.request' || !event.more_body) return
        }
      case 'send': {
        const entry = this.#note<Sent>({ sent: step[1]['type'] as string, error: 'pending' })
        try {
          yield* this.#send(this.#made(step[1]) as SendEvent)
          entry.error = null
        } catch (error) {
          entry.error = { name: (error as Error).name, os: error instanceof OSError }
        }
        return
      }
      case 'send!': return yield* this.#send(this.#made(step[1]) as SendEvent)
      case 'flood': return yield* this.#flood(step[1], step[2])
      case 'sleep': return yield* sleep(step[1])
      case 'set':
        (this.#scope as Record<string, unknown>)[step[1]] = step[2]
        return
      case 'state': {
        const state = this.#scope.state as { shared: unknown[]; [key: string]: unknown }
        state[step[1]] = step[2]
        state.shared.push(step[2])
        return
      }
      case 'raise': throw new Error(step[1])
    }
  }

  *#flood(size: number, limit: number): Coroutine<void> {
    const entry = this.#note<Flooded>({ flooded: 0, ended: false })
    try {
      while (entry.flooded < limit) {
        yield* this.#send({ type: 'http.response.body', body: new Uint8Array(size), more_body: true })
        entry.flooded += size
        yield* sleep(0)
      }
    } catch {
      // Any error ends it.
    }
    entry.ended = true
  }

  /** The value that a step of a script means. */
  #made(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#made(item))
    if (typeof value !== 'object' || value === null) return value
    if ('$bytes' in value) return Buffer.from(value.$bytes as string, 'latin1')
    if ('$path' in value) return this.#digits
    if ('$file' in value) {
      const file = openSync(this.#digits, 'r')
      this.#files.push(file)
      return file
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.#made(item)]))
  }
}

/** A value as JSON. `strict` is for events, in which only some types are allowed; anything else becomes {"$other": its type}. */
function shown(value: unknown, strict: boolean): Encoded {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (value instanceof Uint8Array) return { $bytes: latin1(value) }
  if (Array.isArray(value)) return value.map((item) => shown(item, strict))
  if (typeof value === 'object') {
    if (Object.getPrototypeOf(value) === Object.prototype) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shown(item, strict)]))
    if (!strict && Symbol.iterator in value) return Array.from(value as Iterable<unknown>, (item) => shown(item, strict))
  }
  return { $other: Object.prototype.toString.call(value) }
}

function* respond(send: Send, status: number, body: string): Coroutine<void> {
  const bytes = Buffer.from(body)
  yield* send({ type: 'http.response.start', status, headers: [[Buffer.from('content-type'), Buffer.from('application/json')], [Buffer.from('content-length'), Buffer.from(String(bytes.length))]] })
  yield* send({ type: 'http.response.body', body: bytes })
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}
