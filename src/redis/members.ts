// Which processes are alive: this process writes its heartbeat, under a name of its own, and reads the others'. It declares a
// process dead only if its own beat was in the same answer, and has been for longer than a beat lives: a Redis that restarts
// empty has lost no process.
import type { Connection } from './connection.ts'
import type { Reader } from './reader.ts'
import type { RemoteLoop } from '../observe/remote-loop.ts'
import { BEAT_HOLDS_MS, BEAT_MS, beatOf, eventsOf, KEPT_SECONDS, livesOf, LOOPS } from './keys.ts'
import { MARK_SEEN, LIFE, LONGEST_BEAT, POLL, VALUE } from './reads.ts'
import { runScript } from './script.ts'
import { beat, LONGEST_NAME, read, type Beat } from '../observe/wire.ts'

/** How often the others are polled, in ms. */
const POLL_MS = 150
/** How often the lifetime of keys is renewed, and old ones are removed, in ms. */
const RENEW_MS = 30_000
/** The most loops that are followed. */
const MOST_LOOPS = 256
/** How many names (`name-2` and so on) are tried before a random one. */
const MOST_NUMBERED = 20

export interface MembersOptions {
  commands: Connection
  reader: Reader
  /** This process' present state. */
  beat: () => Omit<Beat, 'beats'>
  loop: () => string
  epoch: () => string
  /** Another process has the name: this one has another from now on. */
  rename: (name: string) => void
  /** The name was ours, and another process has it now. */
  onTaken: () => void
  /** The number of loops beyond the limit. */
  onMany: (count: number) => void
}

export class Members {
  readonly #options: MembersOptions
  /** The name is ours. */
  claimed = false
  #claimedAt = Infinity
  #beats = 0
  #timer: NodeJS.Timeout | null = null
  #polling = false
  #beating = false
  #beatAt = -Infinity
  #renewAt = 0
  #known: string[] = []
  /** The name of this process, and which life of the name it is. */
  #life = { loop: '', number: 0 }
  /** The last heartbeat of each loop from a life that is not the followed one. */
  readonly #foreign = new Map<string, Beat>()
  /** Loops whose end is being checked. */
  readonly #judging = new Set<string>()

  constructor(options: MembersOptions) {
    this.#options = options
  }

  /** Which life of its name this process is. */
  get life(): number {
    return this.#life.number
  }

  /** Takes the loop's name. If another live process has it, takes another name; if a process with it has died, waits until that is certain. */
  async claim(wanted: string): Promise<void> {
    const { commands, epoch, loop, rename } = this.#options
    for (let number = 1; ; number++) {
      if (await this.#tryClaim()) break
      const there = await this.#there()
      if (there === null || there.epoch === epoch()) {
        if (there !== null) break
        number--
        continue
      }
      if (!await this.#goesOn(there)) {
        number--
        continue
      }
      const ending = number < MOST_NUMBERED ? String(number + 1) : Math.random().toString(36).slice(2, 8)
      const name = `${wanted.slice(0, LONGEST_NAME - 1 - ending.length)}-${ending}`
      if (name !== loop()) rename(name)
    }
    const name = loop()
    const life = name === this.#life.loop ? this.#life.number : 0
    await commands.run(async (client) => {
      this.#life = { loop: name, number: await runScript(client, LIFE, [livesOf(name)], [KEPT_SECONDS, life]) as number }
    })
    await this.#markSeen()
    this.claimed = true
    this.#claimedAt = performance.now()
    this.#beatAt = performance.now()
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#tick(), POLL_MS)
  }

  /** There is no connection: nothing is known of other processes. */
  pause(): void {
    this.claimed = false
    const now = Date.now()
    for (const record of this.#options.reader.records) if (record.state === 'live') record.become('unknown', now)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  /** Reports that this process has left. */
  async leave(): Promise<void> {
    const { commands, loop } = this.#options
    this.stop()
    await Promise.all([
      this.#markSeen(),
      commands.run((client) => client.expire(eventsOf(loop()), KEPT_SECONDS)),
      commands.run((client) => client.del(beatOf(loop()))),
    ])
  }

  #write(): string {
    return JSON.stringify({ ...this.#options.beat(), beats: ++this.#beats })
  }

  async #tryClaim(): Promise<boolean> {
    const { commands, loop } = this.#options
    const text = this.#write()
    const done = await commands.run((client) => client.set(beatOf(loop()), text, { condition: 'NX', expiration: { type: 'PX', value: BEAT_HOLDS_MS } }))
    return done !== null
  }

  /** Marks this loop as seen; with `clean`, removes those that were not seen for long. */
  #markSeen(clean = false): Promise<unknown> {
    const { commands, loop } = this.#options
    return commands.run((client) => runScript(client, MARK_SEEN, [LOOPS], [loop(), clean ? KEPT_SECONDS * 1000 : '']))
  }

  async #there(): Promise<Beat | null> {
    const { commands, loop } = this.#options
    return read(beat, await commands.run((client) => runScript(client, VALUE, [beatOf(loop())], [LONGEST_BEAT])) as string | null)
  }

  /** Whether the process with this name continues to beat. */
  async #goesOn({ epoch, beats }: Beat): Promise<boolean> {
    for (let waited = 0; waited < BEAT_HOLDS_MS + POLL_MS; waited += POLL_MS / 2) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS / 2))
      const now = await this.#there()
      if (now === null) return false
      if (now.epoch !== epoch || now.beats !== beats) return true
    }
    return true
  }

  #tick(): void {
    const { commands } = this.#options
    if (!this.claimed || !commands.up) return
    const failed = (error: unknown): void => commands.fail(error as Error)
    const now = performance.now()
    if (!this.#beating && now >= this.#beatAt + BEAT_MS - POLL_MS / 4) {
      this.#beatAt = now
      this.#beating = true
      this.#beat(now).catch(failed).finally(() => {
        this.#beating = false
      })
    }
    if (this.#polling) return
    this.#polling = true
    this.#poll().catch(failed).finally(() => {
      this.#polling = false
    })
  }

  async #beat(now: number): Promise<void> {
    const { commands, loop } = this.#options
    const text = this.#write()
    const renews = now >= this.#renewAt
    const sent: Promise<unknown>[] = [
      commands.run((client) => client.set(beatOf(loop()), text, { expiration: { type: 'PX', value: BEAT_HOLDS_MS } })),
      this.#markSeen(renews),
    ]
    if (renews) {
      this.#renewAt = now + RENEW_MS
      for (const key of [eventsOf(loop()), livesOf(loop())]) sent.push(commands.run((client) => client.expire(key, KEPT_SECONDS)))
    }
    await Promise.all(sent)
  }

  async #poll(): Promise<void> {
    const { commands, loop, epoch, reader, onTaken, onMany } = this.#options
    const own = loop()
    const others = this.#known.filter((name) => name !== own)
    const keys = [LOOPS, beatOf(own), ...others.map(beatOf)]
    const [loops, beats] = await commands.run((client) => runScript(client, POLL, keys, [2 * MOST_LOOPS])) as [[name: string, age: string][], (string | null)[]]
    if (!this.claimed || own !== loop()) return
    const mine = read(beat, beats[0])
    if (mine !== null && mine.epoch !== epoch()) {
      // Our heartbeat had expired, and another process has rightly taken the name.
      this.claimed = false
      onTaken()
      return
    }
    const now = Date.now()
    // Ages come from Redis's clock: that of another process means nothing here.
    for (const [name, age] of loops) reader.find(name)?.seen(now - Number(age))
    const sure = mine !== null && performance.now() - this.#claimedAt > BEAT_HOLDS_MS + POLL_MS
    others.forEach((name, at) => {
      const record = reader.find(name)
      const seen = read(beat, beats[at + 1])
      if (record === undefined) return
      if (seen !== null) this.#onBeat(record, seen, now)
      else if (sure && (record.state === 'live' || record.state === 'unknown')) this.#judge(record)
    })
    this.#follow(loops.map(([name]) => name).filter((name) => name !== own), onMany)
  }

  #onBeat(record: RemoteLoop, beat: Beat, now: number): void {
    record.beat(beat, now)
    const { loop, history: { epoch, last } } = record
    const before = this.#foreign.get(loop)
    if (beat.epoch === epoch) this.#foreign.delete(loop)
    else this.#foreign.set(loop, beat)
    // The life that continues to beat is the present one.
    const isAlive = before?.epoch === beat.epoch && before.beats !== beat.beats
    if (beat.epoch !== epoch || beat.seq > last) this.#options.reader.suspect(loop, isAlive ? beat.epoch : null)
  }

  /** Its beat has expired: it has closed, or is lost. What it has left in Redis shows which. */
  #judge(record: RemoteLoop): void {
    const { loop } = record
    if (this.#judging.has(loop)) return
    this.#judging.add(loop)
    this.#options.reader.readSnapshot(loop).then(({ seen: left }) => {
      const closed = record.closed || (left?.closed === true && left.epoch === record.history.epoch)
      record.become(closed ? 'closed' : 'lost', record.seenAt)
    }, () => {}).finally(() => {
      this.#judging.delete(loop)
    })
  }

  /** Follows the loops that were seen last, and removes those that were not seen for long. */
  #follow(names: readonly string[], onMany: (count: number) => void): void {
    const { reader } = this.#options
    this.#known = names.slice(-MOST_LOOPS)
    if (names.length > MOST_LOOPS) onMany(names.length)
    const known = new Set(this.#known)
    for (const loop of this.#foreign.keys()) if (!reader.has(loop)) this.#foreign.delete(loop)
    for (const record of reader.records) {
      // A Redis that has lost all data will soon receive the heartbeats of those that are alive.
      const silent = Date.now() - record.seenAt > KEPT_SECONDS * 1000
      if (!known.has(record.loop) && record.state !== 'live' && silent) reader.forget(record.loop)
    }
    for (const name of this.#known) if (!reader.has(name) && reader.size < MOST_LOOPS) reader.follow(name)
  }
}
