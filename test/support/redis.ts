// A real redis-server for tests: on a free port, empty, which can stop, die, pause, restart or answer slowly.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram, isExecutable } from './programs.ts'

interface Test {
  teardown(fn: () => unknown): void
}

function find(): string | null {
  const named = process.env['LOOPSCOPE_REDIS']
  if (named !== undefined) {
    if (!isExecutable(named)) throw new Error(`LOOPSCOPE_REDIS is ${named}, and there is no program there`)
    return named
  }
  return findProgram('redis-server') ?? findProgram('valkey-server')
}

const program = find()

/** For a test's `skip`: why there is no Redis to start, or false if there is one. */
export const noRedis: string | false = program === null && 'no redis-server: set LOOPSCOPE_REDIS, or install redis-server or valkey-server'

/** A free port. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

export class TestRedis {
  port = 0
  readonly #args: string[]
  readonly #folder = mkdtempSync(join(tmpdir(), 'loopscope-redis-'))
  #child: ChildProcess | null = null
  readonly #onExit = (): void => void this.#child?.kill('SIGKILL')

  /** `args` are for redis-server, after those that prevent it from writing to the disk. */
  constructor(args: string[] = []) {
    this.#args = args
    process.once('exit', this.#onExit)
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Where it runs, and would write a dump. */
  get folder(): string {
    return this.#folder
  }

  /** Starts it, empty, on its previous port, or on a free one. Resolves once it answers. */
  async start(): Promise<void> {
    const again = this.port !== 0
    for (let attempt = 0; ; attempt++) {
      if (!again) this.port = await freePort()
      const child = spawn(program ?? 'redis-server', ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', this.#folder, ...this.#args])
      let said = ''
      const ready = await new Promise<boolean>((resolve) => {
        child.stdout.on('data', (chunk) => {
          said += String(chunk)
          if (said.includes('Ready to accept connections')) resolve(true)
        })
        child.on('close', () => resolve(false))
        child.on('error', (error) => {
          said += String(error)
          resolve(false)
        })
      })
      if (ready) {
        this.#child = child
        return
      }
      // Another process took the port meanwhile.
      if (attempt === 4) throw new Error(`redis-server does not start:\n${said}`)
    }
  }

  async #end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === null) return
    this.#child = null
    const closed = once(child, 'close')
    // A paused process reacts to no other signal.
    child.kill('SIGCONT')
    child.kill(signal)
    await closed
  }

  /** Ends it in good order; its data is lost. */
  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  /** Ends it and starts it again, empty, on the same port. */
  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** Pauses it: connections stay open, and nothing is answered. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  async close(): Promise<void> {
    await this.kill()
    process.off('exit', this.#onExit)
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Starts a redis-server that ends with the test. */
export async function startRedis(t: Test, args: string[] = []): Promise<TestRedis> {
  const redis = new TestRedis(args)
  t.teardown(() => redis.close())
  await redis.start()
  return redis
}

/** With this many bytes waiting, a proxy stops reading. */
const MOST_WAITING = 1_000_000

/** A slow connection to Redis. */
export class SlowProxy {
  /** How long every reply is delayed, in milliseconds. Replies stay in order, and do not wait for each other. */
  delay: number
  /** New connections are cut at once. */
  refuse = false
  readonly #to: number
  readonly #server = createServer((client) => this.#join(client))
  readonly #sockets = new Set<Socket>()

  constructor(to: number, delay: number) {
    this.#to = to
    this.delay = delay
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  #join(client: Socket): void {
    if (this.refuse) {
      client.destroy()
      return
    }
    const redis = connect(this.#to, '127.0.0.1')
    for (const socket of [client, redis]) {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#sockets.delete(socket)
        client.destroy()
        redis.destroy()
      })
    }
    client.pipe(redis)
    const held: Buffer[] = []
    let waiting = 0
    redis.on('data', (chunk: Buffer) => {
      held.push(chunk)
      waiting += chunk.length
      if (waiting > MOST_WAITING) redis.pause()
      // The first timer that fires releases the oldest reply.
      setTimeout(() => {
        const next = held.shift() as Buffer
        waiting -= next.length
        if (waiting <= MOST_WAITING) redis.resume()
        if (!client.destroyed) client.write(next)
      }, this.delay)
    })
  }

  /** Cuts every connection; new ones are accepted. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.cut()
    await closed
  }
}

/** A proxy to the Redis at `port` that delays each reply for `delay` ms, and ends with the test. */
export async function slowProxy(t: Test, port: number, delay: number): Promise<SlowProxy> {
  const proxy = new SlowProxy(port, delay)
  await proxy.listen()
  t.teardown(() => proxy.close())
  return proxy
}
