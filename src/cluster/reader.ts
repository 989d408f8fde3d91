// Follows the events of other processes' loops, each from a picture of it on. A reader knows by the numbers what it has: what
// comes twice it skips, and where something is missing it begins again from a newer picture.
import type { Connection } from './connection.ts'
import { eventsOf, snapshotOf } from './keys.ts'
import { RemoteLoop } from './remoteloop.ts'
import { picture, read, run as toldRun, type Picture, type ToldRun } from './wire.ts'

/** How long Redis waits for something to come, in ms: a loop that appears meanwhile is followed after that. */
const BLOCK_MS = 200
/** So many entries are taken at once, of all loops together. */
const MOST_ENTRIES = 16
/** What comes is taken in for this long, in ms, before others get a turn on this thread. */
const TURN_MS = 8
/** Where there is nothing to go on from yet, that is looked for again after this long, in ms. */
const AGAIN_MS = 250
/** Epochs that are gone; entries of theirs are skipped. */
const MOST_GONE = 16

export interface ReaderOptions {
  /** For what is asked for now and then, and for the one command that waits. */
  commands: Connection
  waiting: Connection
  /** A loop that has just appeared. */
  onLoop: (record: RemoteLoop) => void
  /** What to keep of a loop that appears. */
  make: (loop: string, picture: Picture) => RemoteLoop
}

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
  /** When something of it was taken in, on this process' clock, in ms. */
  at: number
}

export class Reader {
  readonly #options: ReaderOptions
  readonly #followed = new Map<string, Followed>()
  #reading = false

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
    const one: Followed = { loop, record: null, position: null, taken: '0-0', finding: false, gone: [], at: 0 }
    this.#followed.set(loop, one)
    this.#find(one, 'again')
  }

  forget(loop: string): void {
    const one = this.#followed.get(loop)
    this.#followed.delete(loop)
    one?.record?.fanout.end('nobody has heard of this loop for an hour')
  }

  /** Both connections are there: go on with every loop, from where it is found to be. */
  begin(): void {
    for (const one of this.#followed.values()) {
      one.position = null
      this.#find(one, 'again')
    }
    if (!this.#reading) void this.#read()
  }

  /** Something says that a loop is further than what comes of it: look where it is. */
  suspect(loop: string): void {
    const one = this.#followed.get(loop)
    if (one === undefined || one.finding || performance.now() - one.at < BLOCK_MS * 5) return
    one.at = performance.now()
    one.position = null
    this.#find(one, 'again')
  }

  /** The picture that stands in Redis of a loop. */
  async pictureOf(loop: string): Promise<Picture | null> {
    return read(picture, await this.#options.commands.run((client) => client.get(snapshotOf(loop))))
  }

  async #read(): Promise<void> {
    this.#reading = true
    const { waiting } = this.#options
    try {
      while (waiting.up) {
        const followed = [...this.#followed.values()].filter(({ position }) => position !== null)
        if (followed.length === 0) {
          await new Promise((resolve) => setTimeout(resolve, BLOCK_MS / 4))
          continue
        }
        const places = followed.map(({ loop, position }) => ({ key: eventsOf(loop), id: position as string }))
        const COUNT = Math.max(1, Math.floor(MOST_ENTRIES / followed.length))
        const reply = await waiting.run((client) => client.xRead(places, { BLOCK: BLOCK_MS, COUNT }))
        if (reply !== null) await this.#take(followed, reply as unknown as { name: string; messages: { id: string; message: Record<string, string> }[] }[])
      }
    } catch (error) {
      waiting.fail(error as Error)
    } finally {
      this.#reading = false
    }
  }

  async #take(followed: readonly Followed[], reply: readonly { name: string; messages: { id: string; message: Record<string, string> }[] }[]): Promise<void> {
    const byKey = new Map(followed.map((one) => [eventsOf(one.loop), one]))
    let turn = performance.now()
    for (const { name, messages } of reply) {
      const one = byKey.get(name)
      if (one === undefined) continue
      for (const { id, message } of messages) {
        // It may have been decided meanwhile to go on from elsewhere.
        if (one.position === null) break
        this.#entry(one, id, message)
        if (performance.now() - turn < TURN_MS) continue
        one.record?.told()
        await new Promise((resolve) => setImmediate(resolve))
        turn = performance.now()
      }
      one.record?.told()
    }
  }

  #entry(one: Followed, id: string, { epoch = '', from, to, events, run }: Record<string, string>): void {
    const { record } = one
    if (record === null) return
    one.position = id
    one.at = performance.now()
    let came: ReturnType<RemoteLoop['batch']>
    try {
      if (run !== undefined) {
        const told = epoch === record.history.epoch ? read(toldRun, run) : null
        if (told !== null) record.runs.add(told as ToldRun)
        return
      }
      came = record.batch(epoch, Number(from), Number(to), events ?? '[]')
    } catch {
      // Whatever wrote this, it is nothing that can be read: what it should have told is missing.
      came = 'gap'
    }
    if (came === 'taken') one.taken = id
    else if (came === 'gap') {
      one.position = null
      this.#find(one, 'gap')
    } else if (!one.gone.includes(epoch)) {
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
      if (!found) setTimeout(() => this.#retry(one, why), AGAIN_MS)
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
    const seen = await this.pictureOf(one.loop)
    const { record } = one
    if (record === null) {
      if (seen === null) return false
      one.record = this.#options.make(one.loop, seen)
      one.position = seen.id
      this.#options.onLoop(one.record)
      return true
    }
    // An older life's picture: of a Redis that has forgotten the last hours.
    const other = seen !== null && seen.epoch !== record.history.epoch && seen.startedAt >= record.startedAt
    if (other) {
      one.gone = [...one.gone, record.history.epoch].slice(-MOST_GONE)
      one.position = seen.id
      one.taken = '0-0'
      record.restart(seen)
      return true
    }
    if (foreign !== undefined) one.gone = [...one.gone, foreign].slice(-MOST_GONE)
    if (why === 'gap') {
      if (seen === null || seen.epoch !== record.history.epoch || seen.seq <= record.history.last) return false
      record.restore(seen)
      one.position = seen.id
      return true
    }
    // It goes on after what was taken in, where Redis still has that; otherwise numbers tell what is new.
    one.position = one.taken !== '0-0' && await this.#isThere(one.loop, one.taken) ? one.taken : '0-0'
    return true
  }

  async #isThere(loop: string, id: string): Promise<boolean> {
    const found = await this.#options.commands.run((client) => client.xRange(eventsOf(loop), id, id, { COUNT: 1 }))
    return found !== null && found.length > 0
  }
}
