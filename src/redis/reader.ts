// Follows the events of other processes' loops, each from a picture of it on. A reader knows by the numbers what it has: what
// comes twice it skips, and where something is missing it begins again from a newer picture.
import type { Connection } from './connection.ts'
import { eventsOf, snapshotOf } from './keys.ts'
import { ENTRIES, HAS, LONGEST_PICTURE, VALUE } from './reads.ts'
import { RemoteLoop } from './remote-loop.ts'
import { runScript } from './script.ts'
import { picture, read, run as toldRun, type Picture, type ToldRun } from './wire.ts'

/** How often new entries are looked for without a message on the channel, in ms: a message may be lost. */
const WAIT_MS = 200
/** So many entries are taken at once, of all loops together. */
const MOST_ENTRIES = 16
/** What comes is taken in for this long, in ms, before others get a turn on this thread. */
const TURN_MS = 8
/** Where there is nothing to go on from yet, that is looked for again after this long, in ms; then after twice as long, up to the longest. */
const AGAIN_MS = 250
const LONGEST_AGAIN_MS = 4000
/** Pictures of all loops together, in bytes as JSON: what is beyond is not followed. */
const MOST_PICTURES = 128 * 2 ** 20
/** After one that took long to read, this thread has so many times as long for others. */
const PICTURE_REST = 4
const LONGEST_EPOCH = 32
/** Epochs that are gone; entries of theirs are skipped. */
const MOST_GONE = 16

export interface ReaderOptions {
  /** For what is asked for now and then, and for events. */
  commands: Connection
  events: Connection
  /** A loop that has just appeared. */
  onLoop: (record: RemoteLoop) => void
  /** What to keep of a loop that appears. */
  make: (loop: string, picture: Picture) => RemoteLoop
}

/** An entry of a loop's events: which loop's, its id ('' where there are none to be had), names and values one after the other. */
type Entry = [at: number, id: string, fields: string[] | null]

/** A loop that is followed. */
interface Followed {
  readonly loop: string
  record: RemoteLoop | null
  /** The last entry that was read; `null` while it is not known where to go on. */
  position: string | null
  /** The last entry that was taken in. */
  taken: string
  /** It is being found out where to go on. */
  finding: boolean
  gone: string[]
  /** Another life of it, which says that it lives. */
  alive: string | null
  /** How long it is until it is looked for again, in ms. */
  again: number
  /** The last picture that was taken over, in bytes. */
  bytes: number
  /** When it was found out last where to go on, and when something of it was taken in, on this process' clock, in ms. */
  foundAt: number
  at: number
}

export class Reader {
  readonly #options: ReaderOptions
  readonly #followed = new Map<string, Followed>()
  #reading = false
  /** Where reading begins, so that no loop comes last each time. */
  #turn = 0
  #pictures: Promise<unknown> = Promise.resolve()
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

  /** Both connections are there: go on with every loop, from where it is found to be. */
  begin(): void {
    for (const one of this.#followed.values()) {
      one.position = null
      this.#find(one, 'again')
    }
    if (!this.#reading) void this.#read()
  }

  /** A loop says that it has published something. */
  onNews(loop: string): void {
    if (!this.#followed.has(loop)) return
    this.#isNews = true
    this.#wake?.()
  }

  /** Something says that a loop is further than what comes of it: look where it is. `alive` is the life that says so, if that is known. */
  suspect(loop: string, alive: string | null): void {
    const one = this.#followed.get(loop)
    if (one === undefined) return
    one.alive = alive ?? one.alive
    if (one.finding || performance.now() - one.at < WAIT_MS * 5) return
    one.at = performance.now()
    one.position = null
    this.#find(one, 'again')
  }

  /** The picture of a loop in Redis. They are read one after the other, and for a part of the time only: one may take long. */
  async pictureOf(loop: string, most = LONGEST_PICTURE): Promise<{ seen: Picture | null; bytes: number }> {
    const reading = this.#pictures.then(async () => {
      const text = await this.#options.commands.run((client) => runScript(client, VALUE, [snapshotOf(loop)], [Math.min(most, LONGEST_PICTURE)])) as string | null
      const began = performance.now()
      const seen = read(picture, text)
      return { seen, bytes: text?.length ?? 0, spent: performance.now() - began }
    })
    this.#pictures = reading.then(({ spent }) => new Promise((resolve) => setTimeout(resolve, spent < TURN_MS ? 0 : spent * PICTURE_REST)), () => {})
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
        if (entries.length > 0) await this.#take(followed, entries)
        if (!entries.some(([, id]) => id !== '') && !this.#isNews) await this.#news()
      }
    } catch (error) {
      events.fail(error as Error)
    } finally {
      this.#reading = false
    }
  }

  /** Resolves when something was published, or may have been. */
  async #news(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, WAIT_MS)
      this.#wake = resolve
    })
    this.#wake = null
    clearTimeout(timer)
  }

  async #take(followed: readonly Followed[], entries: readonly Entry[]): Promise<void> {
    let turn = performance.now()
    const touched = new Set<RemoteLoop>()
    const tell = (): void => {
      for (const record of touched) record.told()
      touched.clear()
    }
    for (const [at, id, fields] of entries) {
      const one = followed[at - 1] as Followed
      // It may have been decided meanwhile to go on from elsewhere.
      if (one.position === null || id === '') continue
      this.#entry(one, id, fields)
      if (one.record !== null) touched.add(one.record)
      if (performance.now() - turn < TURN_MS) continue
      tell()
      await new Promise((resolve) => setImmediate(resolve))
      turn = performance.now()
    }
    tell()
  }

  #entry(one: Followed, id: string, fields: readonly string[] | null): void {
    const { record } = one
    if (record === null) return
    one.position = id
    // Whatever wrote this cannot be read; if something is missing then, the numbers of what follows show it. It is progress all the
    // same: a reader sent back to where it last took something in would never get past many long entries.
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
        if (told !== null) record.runs.add(told as ToldRun)
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
      // Of entries of many lives most are skipped: which life there is, its signs of life tell.
      one.position = null
      this.#find(one, 'again', epoch)
    }
  }

  /** Find out where to go on: `gap`, what came last cannot be joined to what there is. */
  #find(one: Followed, why: 'again' | 'gap', foreign?: string): void {
    if (one.finding) return
    one.finding = true
    this.#place(one, why, foreign).then((found) => {
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
      // There is no connection: all are looked for again once there is.
      one.finding = false
    })
  }

  #retry(one: Followed, why: 'again' | 'gap'): void {
    if (one.position === null && this.#followed.get(one.loop) === one && this.#options.commands.up) this.#find(one, why)
  }

  /** Whether there is a place to go on from now. */
  async #place(one: Followed, why: 'again' | 'gap', foreign?: string): Promise<boolean> {
    const others = [...this.#followed.values()].reduce((bytes, other) => (other === one ? bytes : bytes + other.bytes), 0)
    const { seen, bytes } = await this.pictureOf(one.loop, MOST_PICTURES - others)
    const { record } = one
    if (record === null) {
      if (seen === null) return false
      one.bytes = bytes
      one.record = this.#options.make(one.loop, seen)
      one.position = seen.id
      this.#options.onLoop(one.record)
      return true
    }
    // An older life's picture is that of a Redis which has forgotten the last hours. The numbers of lives begin again in one
    // that has forgotten everything; but of two, the one that lives is the later one.
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
    // It goes on after what was taken in, where Redis still has that; otherwise numbers tell what is new.
    one.position = one.taken !== '0-0' && await this.#isThere(one.loop, one.taken) ? one.taken : '0-0'
    return true
  }

  async #isThere(loop: string, id: string): Promise<boolean> {
    return await this.#options.commands.run((client) => runScript(client, HAS, [eventsOf(loop)], [id])) === 1
  }
}

/** Names and values that came one after the other. */
function namedBy(fields: readonly string[]): Record<string, string> {
  const named: Record<string, string> = {}
  for (let at = 0; at < fields.length; at += 2) named[fields[at] as string] = fields[at + 1] as string
  return named
}
