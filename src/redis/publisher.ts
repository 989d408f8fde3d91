// Sends a loop's events to Redis in batches. It has no buffer: like any subscriber, it has a cursor in the history, and reads
// from there while few batches are on their way. If the history has moved past it, the lost events are counted and a snapshot
// replaces them. What was not acknowledged is sent again; readers skip duplicates by number.
import type { LoopInfo } from '../events/schema.ts'
import type { MonitoredLoop } from '../observe/monitored-loop.ts'
import type { RunRecord } from '../events/run-log.ts'
import type { Connection } from './connection.ts'
import { eventsOf, KEPT_SECONDS, NEWS, snapshotOf as keyOfSnapshot } from './keys.ts'
import { HAS, LONGEST_ENTRY } from './reads.ts'
import { runScript } from './script.ts'
import { brief, joined, snapshotOf, snapshotText, type LoopSnapshot } from '../observe/wire.ts'

/** The most events in a batch, the bytes beyond which no further event is added, and the most batches on their way. */
const BATCH = 512
const BATCH_BYTES = LONGEST_ENTRY / 4
/** The longest event, in bytes. Texts are cut much shorter, so there is hardly one. */
const LONGEST_EVENT = LONGEST_ENTRY / 2
const MOST_ON_THE_WAY = 4
/** Events are collected for this many ms, unless one is urgent. */
const GATHER_MS = 20
/** The interval of snapshots in ms, or in events as a part of the history; but they may take only a 50th of the time. */
const SNAPSHOT_MS = 2000
const SNAPSHOT_PART = 4
const SNAPSHOT_SHARE = 50
/** Runs of other loops that wait to be sent, and the longest of them, in bytes. */
const MOST_RUNS = 50
const LONGEST_RUN = 256 * 1024

export class Publisher {
  readonly #record: MonitoredLoop
  readonly #connection: Connection
  readonly #startedAt: string
  readonly #info: () => LoopInfo
  readonly #life: () => number
  #active = false
  #began = false
  /** The last event that was sent, and the last that has arrived. */
  #sent = 0
  #acked = 0
  #lost = 0
  published = 0
  #lastId = '0-0'
  #onTheWay = 0
  #timer: NodeJS.Timeout | null = null
  /** Which entry of the stream ends with which event: old entries are removed there. */
  #entries: { id: string; to: number }[] = []
  #runs: RunRecord[] = []
  #snapshot = { seq: -1, at: -Infinity, next: 0, making: false }
  /** Readers need a present snapshot to continue. */
  #needed = false
  #idle: (() => void)[] = []

  constructor(record: MonitoredLoop, connection: Connection, startedAt: string, info: () => LoopInfo, life: () => number) {
    this.#record = record
    this.#connection = connection
    this.#startedAt = startedAt
    this.#info = info
    this.#life = life
    record.listen((urgent) => this.#onNews(urgent))
  }

  /** The last event that has arrived. */
  get seq(): number {
    return this.#acked
  }

  /** Events that were not published and never will be. */
  get lost(): number {
    return this.#lost + (this.#began ? Math.max(0, this.#record.history.first - 1 - Math.max(this.#sent, this.#acked)) : 0)
  }

  /** The age of the oldest event that has not arrived, in seconds. */
  get lag(): number {
    const { history } = this.#record
    if (!this.#began || this.#acked >= history.last) return 0
    const oldest = history.find(Math.max(this.#acked + 1, history.first))
    return oldest === null ? 0 : Math.max(0, this.#record.now() - oldest.t)
  }

  /** There is a connection, and the loop's name is ours. */
  async begin(): Promise<void> {
    const { loop, history } = this.#record
    const again = this.#began && await this.#isThere(this.#lastId)
    if (!again) {
      // These entries are of an earlier life, or of a Redis that has lost the last ones.
      await this.#connection.run((client) => client.del(eventsOf(loop)))
      this.#entries = []
    }
    const first = !this.#began
    if (first) this.#acked = history.last
    this.#began = true
    this.#sent = again || first ? this.#acked : this.#heldUntil(this.#acked)
    this.#active = true
    this.#needed = true
    this.#writeSnapshot()
    this.#pump()
  }

  /** There is no connection any longer. */
  pause(): void {
    this.#active = false
    this.#sent = this.#acked
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#settle()
  }

  /** The loop has another name: earlier events are not published under it. */
  rename(): void {
    this.#began = false
  }

  /** Sends a run that is not in the loop's events: another loop made it, in virtual time. */
  addRun(run: RunRecord): void {
    this.#runs.push(run)
    if (this.#runs.length > MOST_RUNS) this.#runs.shift()
    this.#pump()
  }

  /** Makes a snapshot now and then, if something has changed. */
  tick(): void {
    if (!this.#active) return
    const now = performance.now()
    if (this.#record.history.last !== this.#snapshot.seq && now >= this.#snapshot.at + SNAPSHOT_MS) this.#writeSnapshot()
  }

  /** Sends what there is. Resolves when it has arrived, or no longer can. */
  async finish(): Promise<void> {
    this.#pump()
    while (this.#active && (this.#onTheWay > 0 || this.#snapshot.making)) await new Promise<void>((resolve) => this.#idle.push(resolve))
    if (!this.#active) return
    this.#needed = true
    this.#writeSnapshot()
    while (this.#active && this.#snapshot.making) await new Promise<void>((resolve) => this.#idle.push(resolve))
  }

  /** The event before the continuous part of the history up to this one: a reader may not have read what Redis has lost. */
  #heldUntil(seq: number): number {
    let from = seq
    while (this.#record.history.find(from) !== null) from--
    return from
  }

  async #isThere(id: string): Promise<boolean> {
    return await this.#connection.run((client) => runScript(client, HAS, [eventsOf(this.#record.loop)], [id])) === 1
  }

  #onNews(urgent: boolean): void {
    if (!this.#active) return
    if (urgent) this.#pump()
    else this.#timer ??= setTimeout(() => this.#pump(), GATHER_MS)
  }

  #pump(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (!this.#active) return
    const { history } = this.#record
    while (this.#runs.length > 0 && this.#onTheWay < MOST_ON_THE_WAY) this.#sendRun(this.#runs.shift() as RunRecord)
    while (this.#sent < history.last && this.#onTheWay < MOST_ON_THE_WAY) {
      const from = this.#sent + 1
      const texts: string[] = []
      let bytes = 0
      for (let event = history.find(from); event !== null && texts.length < BATCH && bytes < BATCH_BYTES; event = history.find(from + texts.length)) {
        const text = history.encoded(event)
        const length = Buffer.byteLength(text)
        if (length > LONGEST_EVENT) break
        texts.push(text)
        bytes += length
      }
      if (texts.length === 0) {
        // The events are gone: the publisher was too slow, or the recording lost them, or one is too long. A snapshot replaces
        // them.
        this.#lost += history.last - Math.max(this.#sent, this.#acked)
        this.#sent = history.last
        this.#needed = true
        this.#writeSnapshot()
        break
      }
      this.#sent += texts.length
      void this.#send(from, this.#sent, joined(texts))
    }
    if (history.last - this.#snapshot.seq > history.capacity / SNAPSHOT_PART) this.#writeSnapshot()
  }

  async #send(from: number, to: number, events: string): Promise<void> {
    const { history } = this.#record
    const { epoch } = history
    const id = await this.#add(['epoch', epoch, 'from', String(from), 'to', String(to), 'events', events])
    if (id === null) return
    this.published += Math.max(0, to - Math.max(this.#acked, from - 1))
    this.#acked = Math.max(this.#acked, to)
    this.#lastId = id
    this.#entries.push({ id, to })
    this.#next()
  }

  #sendRun(run: RunRecord): void {
    let text = JSON.stringify(run)
    if (Buffer.byteLength(text) > LONGEST_RUN) text = JSON.stringify(brief(run))
    void this.#add(['epoch', this.#record.history.epoch, 'run', text]).then((id) => {
      if (id !== null) this.#next()
    })
  }

  /** Adds an entry; returns its id, `null` if it did not arrive. */
  async #add(fields: string[]): Promise<string | null> {
    this.#onTheWay++
    try {
      const { loop } = this.#record
      return await this.#connection.run((client) => {
        const added = client.sendCommand<string>(['XADD', eventsOf(loop), ...this.#cut(), '*', ...fields])
        // Readers that miss the message will poll soon.
        client.publish(NEWS, loop).catch(() => {})
        return added
      })
    } catch (error) {
      // Nothing after it may arrive before it.
      this.pause()
      this.#connection.fail(error as Error)
      return null
    } finally {
      this.#onTheWay--
      if (this.#onTheWay === 0) this.#settle()
    }
  }

  #next(): void {
    if (this.#sent < this.#record.history.last && this.#timer === null) this.#pump()
  }

  /** Removes what is older than the history, in whole entries. */
  #cut(): string[] {
    const { history } = this.#record
    const keep = this.#entries.findIndex(({ to }) => to >= history.first)
    if (keep > 0) this.#entries.splice(0, keep)
    const [oldest] = this.#entries
    return oldest === undefined ? [] : ['MINID', '~', oldest.id]
  }

  /** Writes a snapshot, unless one is being written, or they take too much of the time. */
  #writeSnapshot(): void {
    const now = performance.now()
    if (!this.#active || this.#snapshot.making || (now < this.#snapshot.next && !this.#needed)) return
    this.#needed = false
    const { loop, history } = this.#record
    const text = snapshotText(this.snapshot())
    this.#snapshot = { seq: history.last, at: now, next: performance.now() + (performance.now() - now) * SNAPSHOT_SHARE, making: true }
    this.#connection.run((client) => client.set(keyOfSnapshot(loop), text, { expiration: { type: 'EX', value: KEPT_SECONDS } }))
      .catch((error: unknown) => {
        this.pause()
        this.#connection.fail(error as Error)
      })
      .finally(() => {
        this.#snapshot.making = false
        if (this.#needed) this.#writeSnapshot()
        this.#settle()
      })
  }

  /** @internal All that is needed to continue from here. */
  snapshot(): LoopSnapshot {
    return snapshotOf(this.#record, { life: this.#life(), startedAt: this.#startedAt, id: this.#lastId, info: this.#info() })
  }

  #settle(): void {
    const idle = this.#idle
    this.#idle = []
    for (const resolve of idle) resolve()
  }
}
