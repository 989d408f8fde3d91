// Connects this process' observer to those that share its Redis: it publishes this process' loop, and follows the others. All
// of it runs on the observer's thread, so a slow or absent Redis never delays a loop.
import type { LoopInfo, RedisInfo } from '../events/schema.ts'
import type { MonitoredLoop } from '../observe/monitored-loop.ts'
import { infoOf, type LoopRegistry } from '../observe/loop-registry.ts'
import type { CancelHere, CancelOutcome, Cluster, ClusterFigures } from '../observe/other-loops.ts'
import type { LogLevel } from '../observe/protocol.ts'
import type { RunRecord } from '../events/run-log.ts'
import { Cancels } from './cancels.ts'
import { Connection, listen } from './connection.ts'
import { NEWS } from './keys.ts'
import { Members } from './members.ts'
import { Publisher } from './publisher.ts'
import { Reader } from './reader.ts'
import { reasonOf } from './refusals.ts'
import { RemoteLoop } from '../observe/remote-loop.ts'

/** How long a closing process waits for Redis to acknowledge that, in ms. */
const CLOSE_MS = 500
const TICK_MS = 250
/** How long Redis may take to answer, in ms. */
const PATIENCE_MS = 3000
/** That Redis is away is logged once, and again after this many ms at the earliest: it may come and go. */
const QUIET_MS = 10_000
/** The events that are kept of each of the first loops, and of each later one. */
const FIRST_LOOPS = 16
const FIRST_HISTORY = 5000
const HISTORY = 1024

export interface ClusterOptions {
  url: string
  loops: LoopRegistry
  keepSeconds: number
  cancel: CancelHere
  log: (level: LogLevel, message: string) => void
  /** The new name of this process' loop. */
  onName: (name: string) => void
}

export class RedisCluster implements Cluster {
  readonly #options: ClusterOptions
  readonly #name: string
  readonly #startedAt = new Date().toISOString()
  readonly #commands: Connection
  readonly #events: Connection
  readonly #publisher: Publisher
  readonly #reader: Reader
  readonly #members: Members
  readonly #cancels: Cancels
  readonly #timer: NodeJS.Timeout
  #listeners: ((record: MonitoredLoop) => void)[] = []
  #connected = false
  #since = Date.now()
  /** Why it is away. */
  #reason = 'there is no connection yet'
  #away = 0
  #awaySeconds = 0
  #everConnected = false
  #reported = false
  #reportedAt = -Infinity
  #toldMany = false
  #closing = false
  #beginning = false
  #again = false

  constructor(options: ClusterOptions) {
    this.#options = options
    const { loops, url } = options
    const { own } = loops
    this.#name = own.loop
    const way = { url, patience: PATIENCE_MS, onUp: () => void this.#begin(), onDown: (reason: Error) => this.#onDown(reason) }
    this.#commands = new Connection(way)
    this.#events = new Connection({ ...way, prepare: (client) => listen(client, NEWS, (loop) => this.#reader.onNews(loop)) })
    this.#publisher = new Publisher(own, this.#commands, this.#startedAt, () => loops.ownInfo(), () => this.#members.life)
    this.#reader = new Reader({
      commands: this.#commands, events: this.#events,
      make: (loop, snapshot) => new RemoteLoop(loop, snapshot, { history: this.#reader.size <= FIRST_LOOPS ? FIRST_HISTORY : HISTORY, keepSeconds: options.keepSeconds }),
      onLoop: (record) => {
        for (const listener of this.#listeners) listener(record)
      },
    })
    this.#members = new Members({
      commands: this.#commands, reader: this.#reader,
      beat: () => ({ epoch: own.history.epoch, seq: this.#publisher.seq, t: own.now(), info: loops.ownInfo(), holding: own.holding }),
      loop: () => own.loop, epoch: () => own.history.epoch,
      rename: (name) => this.#rename(name),
      // The name must be claimed, as by any process that joins.
      onTaken: () => this.#commands.fail(new Error(`another process is called ${own.loop} as well`)),
      onMany: (count) => {
        if (!this.#toldMany) options.log('warn', `Redis knows of ${count} loops, more than can be followed: those seen last are shown`)
        this.#toldMany = true
      },
    })
    this.#cancels = new Cancels(this.#commands, () => own.loop, options.cancel)
    this.#timer = setInterval(() => this.#publisher.tick(), TICK_MS)
    this.#commands.open()
    this.#events.open()
  }

  readonly several = true

  get redis(): RedisInfo {
    const { published, lost, received, missed, lag, away } = this.figures()
    return {
      ...(this.#connected ? { state: 'connected' } : { state: 'away', reason: this.#reason }),
      since: new Date(this.#since).toISOString(), away, published, lost, received, missed,
      lag: Math.round(lag * 1e6) / 1e6,
    }
  }

  figures(): ClusterFigures {
    const loops = { live: 0, closed: 0, lost: 0, unknown: 0 }
    let received = 0
    let missed = 0
    for (const record of this.#reader.records) {
      loops[record.state]++
      received += record.received
      missed += record.missed
    }
    const now = this.#connected ? 0 : (Date.now() - this.#since) / 1000
    return {
      connected: this.#connected, published: this.#publisher.published, lost: this.#publisher.lost, received, missed, lag: this.#publisher.lag,
      inFlight: this.#commands.inFlight + this.#events.inFlight, away: this.#away, awaySeconds: this.#awaySeconds + now, loops,
    }
  }

  records(): RemoteLoop[] {
    return this.#reader.records.sort((a, b) => (a.loop < b.loop ? -1 : 1))
  }

  find(loop: string): RemoteLoop | undefined {
    return this.#reader.find(loop)
  }

  infos(): LoopInfo[] {
    return this.records().map(infoOf)
  }

  onLoop(listener: (record: MonitoredLoop) => void): () => void {
    this.#listeners = [...this.#listeners, listener]
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener)
    }
  }

  cancel(loop: string, what: 'task' | 'run', target: number): Promise<CancelOutcome> {
    return this.#cancels.cancel(loop, what, target)
  }

  addRun(run: RunRecord): void {
    this.#publisher.addRun(run)
  }

  async close(): Promise<void> {
    this.#closing = true
    clearInterval(this.#timer)
    let late: NodeJS.Timeout | undefined
    if (this.#connected) {
      const leave = async (): Promise<void> => {
        await this.#publisher.finish()
        await this.#members.leave()
      }
      const enough = new Promise<void>((resolve) => {
        late = setTimeout(resolve, CLOSE_MS)
      })
      await Promise.race([leave().catch(() => {}), enough])
    }
    clearTimeout(late)
    this.#members.stop()
    this.#commands.close()
    this.#events.close()
    for (const { fanout } of this.#reader.records) fanout.end('the server is closing')
  }

  /** Called each time both connections are there. */
  async #begin(): Promise<void> {
    if (this.#beginning) {
      this.#again = true
      return
    }
    if (!this.#isUp()) return
    this.#beginning = true
    try {
      await this.#members.claim(this.#name)
      await this.#cancels.begin()
      await this.#publisher.begin()
      if (this.#isUp()) {
        this.#onConnected()
        this.#reader.begin()
        this.#members.start()
      }
    } catch (error) {
      this.#commands.fail(error as Error)
    }
    this.#beginning = false
    // One of them was interrupted meanwhile.
    if (!this.#again) return
    this.#again = false
    void this.#begin()
  }

  #isUp(): boolean {
    return this.#commands.up && this.#events.up && !this.#closing
  }

  #onConnected(): void {
    const now = Date.now()
    const seconds = (now - this.#since) / 1000
    if (!this.#connected) {
      if (this.#everConnected) this.#awaySeconds += seconds
      if (this.#reported) {
        const { lost } = this.#publisher
        this.#options.log('info', `Redis is back after ${seconds.toFixed(1)} s; ${lost === 0 ? 'no event was' : `${lost} events were`} lost in all`)
      }
      this.#since = now
    }
    this.#connected = true
    this.#everConnected = true
    this.#reported = false
  }

  #onDown(reason: Error): void {
    this.#publisher.pause()
    this.#members.pause()
    if (this.#connected) {
      this.#connected = false
      this.#since = Date.now()
      this.#away++
    }
    this.#reason = reasonOf(reason)
    const now = performance.now()
    if (this.#closing || this.#reported || now < this.#reportedAt + QUIET_MS) return
    this.#reported = true
    this.#reportedAt = now
    this.#options.log('warn', `Redis is away (${this.#reason}): the loop goes on, and is published again when it is back`)
  }

  #rename(name: string): void {
    const { own } = this.#options.loops
    const taken = own.loop
    this.#publisher.rename()
    own.loop = name
    this.#options.onName(name)
    this.#options.log('warn', `LOOP_NAME=${taken}: another process is called that; this one is ${name}`)
  }
}
