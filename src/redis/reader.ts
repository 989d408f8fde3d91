// Follows the events of other processes' loops, each from a snapshot on. Numbers show what a reader already has: duplicates
// are skipped, and after a gap it starts again from a newer snapshot.
import type { Connection } from './connection.ts'
import { eventsOf, snapshotOf } from './keys.ts'
import { ENTRIES, HAS, VALUE } from './reads.ts'
import { RemoteLoop } from '../observe/remote-loop.ts'
import { runScript } from './script.ts'
import { LONGEST_SNAPSHOT, loopSnapshot, read, run as toldRun, type LoopSnapshot, type PublishedRun } from '../observe/wire.ts'

/** How often new entries are read without a message on the channel, in ms: a message may be lost. */
const WAIT_MS = 200
/** The most entries that are read at once, of all loops together. */
const MOST_ENTRIES = 16
/** Entries are applied for this many ms before other work on this thread continues. */
const TURN_MS = 8
/**
 * If there is no position to start from, it is searched for again after this many ms, and twice as long after each further
 * attempt, up to the longest.
 */
const AGAIN_MS = 250
const LONGEST_AGAIN_MS = 4000
/** The most bytes of snapshots of all loops together, as JSON; loops beyond that are not followed. */
const MOST_SNAPSHOTS = 128 * 2 ** 20
/** After a long read of a snapshot, the thread does other work for this many times as long. */
const SNAPSHOT_REST = 4
const LONGEST_EPOCH = 32
/** Epochs that are over; their entries are skipped. */
const MOST_GONE = 16

export interface ReaderOptions {
  /** For occasional commands, and for events. */
  commands: Connection
  events: Connection
  /** Called with a loop that has just appeared. */
  onLoop: (record: RemoteLoop) => void
  /** Makes the record of a loop that appears. */
  make: (loop: string, snapshot: LoopSnapshot) => RemoteLoop
}

/** An entry of a loop's events: the loop's number, the entry's id ('' if there are none), names and values one after the other. */
type Entry = [at: number, id: string, fields: string[] | null]

/** A loop that is followed. */
interface Followed {
  readonly loop: string
  record: RemoteLoop | null
  /** The last entry that was read; `null` while it is not known where to continue. */
  position: string | null
  /** The last entry that was applied. */
  taken: string
  /** The position is being searched for. */
  finding: boolean
  gone: string[]
  /** Another life of it, which is alive. */
  alive: string | null
  /** The wait before the next search, in ms. */
  again: number
  /** The size of the last snapshot that was restored, in bytes. */
  bytes: number
  /** When the position was last found, and when an entry was last applied, on this process' clock, in ms. */
  foundAt: number
  at: number
}

export class Reader {
  readonly #options: ReaderOptions
  readonly #followed = new Map<string, Followed>()
  #reading = false
  /** The loop at which reading begins; it changes, so that no loop is always last. */
  #turn = 0
  #snapshots: Promise<unknown> = Promise.resolve()
  #isNews = false
  #wake: (() => void) | null = null

  constructor(options: ReaderOptions) {
    this.#options = options
  }

  get records(): RemoteLoop[] {
    return [...this.#followed.values()].flatMap(({ record }) => (record === null ? [] : [record]))
  }

  get size(): number {
    return this.#followed.size
  }

  find(loop: string): RemoteLoop | undefined {
    return this.#followed.get(loop)?.record ?? undefined
  }

  has(loop: string): boolean {
    return this.#followed.has(loop)
  }

  follow(loop: string): void {
    const one: Followed = { loop, record: null, position: null, taken: '0-0', finding: false, gone: [], alive: null, again: AGAIN_MS, bytes: 0, foundAt: -Infinity, at: 0 }
    this.#followed.set(loop, one)
    this.#find(one, 'again')
  }

  forget(loop: string): void {
    const one = this.#followed.get(loop)
    this.#followed.delete(loop)
    one?.record?.fanout.end('this loop has sent nothing for an hour')
  }

  /** Both connections are there: continues with every loop, from a newly found position. */
  begin(): void {
    for (const one of this.#followed.values()) {
      one.position = null
      this.#find(one, 'again')
    }
    if (!this.#reading) void this.#read()
  }

  /** A loop reports that it has published something. */
  onNews(loop: string): void {
    if (!this.#followed.has(loop)) return
    this.#isNews = true
    this.#wake?.()
  }

  /** A loop seems to be further than what arrives: searches for its position. `alive` is the life that shows this, if known. */
  suspect(loop: string, alive: string | null): void {
    const one = this.#followed.get(loop)
    if (one === undefined) return
    one.alive = alive ?? one.alive
    if (one.finding || performance.now() - one.at < WAIT_MS * 5) return
    one.at = performance.now()
    one.position = null
    this.#find(one, 'again')
  }

  /** The snapshot of a loop in Redis. They are read one after the other, and only for a part of the time: one may take long. */
  async readSnapshot(loop: string, most = LONGEST_SNAPSHOT): Promise<{ seen: LoopSnapshot | null; bytes: number }> {
    const reading = this.#snapshots.then(async () => {
      const text = await this.#options.commands.run((client) => runScript(client, VALUE, [snapshotOf(loop)], [Math.min(most, LONGEST_SNAPSHOT)])) as string | null
      const began = performance.now()
      const seen = read(loopSnapshot, text)
      return { seen, bytes: text?.length ?? 0, spent: performance.now() - began }
    })
    this.#snapshots = reading.then(({ spent }) => new Promise((resolve) => setTimeout(resolve, spent < TURN_MS ? 0 : spent * SNAPSHOT_REST)), () => {})
    return reading
  }

  async #read(): Promise<void> {
    this.#reading = true
    const { events } = this.#options
    try {
      while (events.up) {
        const all = [...this.#followed.values()].filter(({ position }) => position !== null)
        const first = this.#turn++ % Math.max(1, all.length)
        const followed = [...all.slice(first), ...all.slice(0, first)]
        this.#isNews = false
        const each = Math.max(1, Math.floor(MOST_ENTRIES / followed.length))
        const ids = followed.map(({ position }) => position as string)
        const keys = followed.map(({ loop }) => eventsOf(loop))
        const entries = followed.length === 0 ? [] : await events.run((client) => runScript(client, ENTRIES, keys, [each, ...ids])) as Entry[]
        if (entries.length > 0) await this.#apply(followed, entries)
        if (!entries.some(([, id]) => id !== '') && !this.#isNews) await this.#published()
      }
    } catch (error) {
      events.fail(error as Error)
    } finally {
      this.#reading = false
    }
  }

  /** Resolves when something was published, or may have been. */
  async #published(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, WAIT_MS)
      this.#wake = resolve
    })
    this.#wake = null
    clearTimeout(timer)
  }

  async #apply(followed: readonly Followed[], entries: readonly Entry[]): Promise<void> {
    let turn = performance.now()
    const touched = new Set<RemoteLoop>()
    const notify = (): void => {
      for (const record of touched) record.notifyApplied()
      touched.clear()
    }
    for (const [at, id, fields] of entries) {
      const one = followed[at - 1] as Followed
      // Another position may have been chosen meanwhile.
      if (one.position === null || id === '') continue
      this.#entry(one, id, fields)
      if (one.record !== null) touched.add(one.record)
      if (performance.now() - turn < TURN_MS) continue
      notify()
      await new Promise((resolve) => setImmediate(resolve))
      turn = performance.now()
    }
    notify()
  }

  #entry(one: Followed, id: string, fields: readonly string[] | null): void {
    const { record } = one
    if (record === null) return
    one.position = id
    // This entry cannot be read. If something is missing after it, the numbers of later entries show it. The position moves
    // on: otherwise a reader would never pass several long entries.
    if (fields === null) {
      one.at = performance.now()
      return
    }
    const { epoch = '', from, to, events = '', run } = namedBy(fields)
    if (epoch.length > LONGEST_EPOCH) return
    let came: ReturnType<RemoteLoop['batch']>
    try {
      if (run !== undefined) {
        const told = epoch === record.history.epoch ? read(toldRun, run) : null
        if (told !== null) record.runs.add(told as PublishedRun)
        return
      }
      came = record.batch(epoch, Number(from), Number(to), events)
    } catch {
      return
    }
    if (came === 'taken') {
      one.taken = id
      one.at = performance.now()
    } else if (came === 'gap') {
      one.position = null
      this.#find(one, 'gap')
    } else if (!one.gone.includes(epoch) && performance.now() > one.foundAt + WAIT_MS * 5) {
      // Most entries of an old life are skipped. The heartbeats show which life is the present one.
      one.position = null
      this.#find(one, 'again', epoch)
    }
  }

  /** Searches for the position; `gap`: the last entry does not follow what was applied. */
  #find(one: Followed, why: 'again' | 'gap', foreign?: string): void {
    if (one.finding) return
    one.finding = true
    this.#findPosition(one, why, foreign).then((found) => {
      one.finding = false
      one.foundAt = performance.now()
      if (found) {
        one.again = AGAIN_MS
        this.onNews(one.loop)
      } else {
        setTimeout(() => this.#retry(one, why), one.again)
        one.again = Math.min(LONGEST_AGAIN_MS, one.again * 2)
      }
    }, () => {
      // There is no connection: all loops are searched for once there is.
      one.finding = false
    })
  }

  #retry(one: Followed, why: 'again' | 'gap'): void {
    if (one.position === null && this.#followed.get(one.loop) === one && this.#options.commands.up) this.#find(one, why)
  }

  /** Whether there is a position to continue from now. */
  async #findPosition(one: Followed, why: 'again' | 'gap', foreign?: string): Promise<boolean> {
    const others = [...this.#followed.values()].reduce((bytes, other) => (other === one ? bytes : bytes + other.bytes), 0)
    const { seen, bytes } = await this.readSnapshot(one.loop, MOST_SNAPSHOTS - others)
    const { record } = one
    if (record === null) {
      if (seen === null) return false
      one.bytes = bytes
      one.record = this.#options.make(one.loop, seen)
      one.position = seen.id
      this.#options.onLoop(one.record)
      return true
    }
    // A snapshot of an older life comes from a Redis that has lost its last hours. In a Redis that has lost everything, the
    // numbers of lives start again, but of two lives the one that is alive is the later one.
    const other = seen !== null && seen.epoch !== record.history.epoch && (seen.life > record.life || seen.epoch === one.alive)
    if (other) {
      one.bytes = bytes
      one.gone = [...one.gone, record.history.epoch].slice(-MOST_GONE)
      one.position = seen.id
      one.taken = '0-0'
      record.restart(seen)
      return true
    }
    if (foreign !== undefined) one.gone = [...one.gone, foreign].slice(-MOST_GONE)
    if (why === 'gap') {
      if (seen === null || seen.epoch !== record.history.epoch || seen.seq <= record.history.last) return false
      one.bytes = bytes
      record.restore(seen)
      one.position = seen.id
      return true
    }
    // It continues after the last applied entry if Redis still has that; otherwise the numbers show what is new.
    one.position = one.taken !== '0-0' && await this.#isThere(one.loop, one.taken) ? one.taken : '0-0'
    return true
  }

  async #isThere(loop: string, id: string): Promise<boolean> {
    return await this.#options.commands.run((client) => runScript(client, HAS, [eventsOf(loop)], [id])) === 1
  }
}

/** An object from names and values that came one after the other. */
function namedBy(fields: readonly string[]): Record<string, string> {
  const named: Record<string, string> = {}
  for (let at = 0; at < fields.length; at += 2) named[fields[at] as string] = fields[at + 1] as string
  return named
}
