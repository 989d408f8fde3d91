// Who is there: this process says that it lives, under a name that is its own, and judges the others by what they say. It
// calls nobody dead unless its own beat stood in the same answer, and has for longer than a beat holds: a Redis that comes
// back empty has lost nobody.
import type { Connection } from './connection.ts'
import type { Reader } from './reader.ts'
import type { RemoteLoop } from './remote-loop.ts'
import { BEAT_HOLDS_MS, BEAT_MS, beatOf, eventsOf, KEPT_SECONDS, livesOf, LOOPS } from './keys.ts'
import { HEARD, LIFE, LONGEST_BEAT, LONGEST_NAME, LOOK, VALUE } from './reads.ts'
import { runScript } from './script.ts'
import { beat, read, type Beat } from './wire.ts'

/** How often others are looked at, in ms. */
const LOOK_MS = 150
/** How often keys have their time to live renewed, and what is too old is thrown away, in ms. */
const RENEW_MS = 30_000
/** The most loops that are followed. */
const MOST_LOOPS = 256
/** Names that are tried, `name-2` and so on, before one is taken by chance. */
const MOST_NUMBERED = 20

export interface MembersOptions {
  commands: Connection
  reader: Reader
  /** This process, as of now. */
  beat: () => Omit<Beat, 'beats'>
  loop: () => string
  epoch: () => string
  /** Another process has the name: this one is called otherwise from now on. */
  rename: (name: string) => void
  /** The name was ours, and is another process' now. */
  onTaken: () => void
  /** Loops that are too many to follow. */
  onMany: (count: number) => void
}

export class Members {
  readonly #options: MembersOptions
  /** The name is ours. */
  claimed = false
  #claimedAt = Infinity
  #beats = 0
  #timer: NodeJS.Timeout | null = null
  #looking = false
  #beating = false
  #beatAt = -Infinity
  #renewAt = 0
  #known: string[] = []
  /** Which life of which name this process is. */
  #life = { loop: '', number: 0 }
  /** The last sign of life of each loop that is not of the life which is followed. */
  readonly #foreign = new Map<string, Beat>()
  /** Loops whose end is being looked into. */
  readonly #judging = new Set<string>()

  constructor(options: MembersOptions) {
    this.#options = options
  }

  /** Which life of its name this process is. */
  get life(): number {
    return this.#life.number
  }

  /** Make the loop's name ours. Where another living process has it, take another; where one has died with it, wait until that shows. */
  async claim(wanted: string): Promise<void> {
    const { commands, epoch, loop, rename } = this.#options
    for (let number = 1; ; number++) {
      if (await this.#take()) break
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
    await this.#say()
    this.claimed = true
    this.#claimedAt = performance.now()
    this.#beatAt = performance.now()
  }

  start(): void {
    this.#timer ??= setInterval(() => this.#tick(), LOOK_MS)
  }

  /** There is no connection: nothing is known of anybody. */
  pause(): void {
    this.claimed = false
    const now = Date.now()
    for (const record of this.#options.reader.records) if (record.state === 'live') record.become('unknown', now)
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  /** Say that this process has left. */
  async leave(): Promise<void> {
    const { commands, loop } = this.#options
    this.stop()
    await Promise.all([
      this.#say(),
      commands.run((client) => client.expire(eventsOf(loop()), KEPT_SECONDS)),
      commands.run((client) => client.del(beatOf(loop()))),
    ])
  }

  #write(): string {
    return JSON.stringify({ ...this.#options.beat(), beats: ++this.#beats })
  }

  async #take(): Promise<boolean> {
    const { commands, loop } = this.#options
    const text = this.#write()
    const done = await commands.run((client) => client.set(beatOf(loop()), text, { condition: 'NX', expiration: { type: 'PX', value: BEAT_HOLDS_MS } }))
    return done !== null
  }

  /** The loop was heard of; where `clean`, those that have not been for long are left. */
  #say(clean = false): Promise<unknown> {
    const { commands, loop } = this.#options
    return commands.run((client) => runScript(client, HEARD, [LOOPS], [loop(), clean ? KEPT_SECONDS * 1000 : '']))
  }

  async #there(): Promise<Beat | null> {
    const { commands, loop } = this.#options
    return read(beat, await commands.run((client) => runScript(client, VALUE, [beatOf(loop())], [LONGEST_BEAT])) as string | null)
  }

  /** Whether whoever has the name goes on beating. */
  async #goesOn({ epoch, beats }: Beat): Promise<boolean> {
    for (let waited = 0; waited < BEAT_HOLDS_MS + LOOK_MS; waited += LOOK_MS / 2) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS / 2))
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
    if (!this.#beating && now >= this.#beatAt + BEAT_MS - LOOK_MS / 4) {
      this.#beatAt = now
      this.#beating = true
      this.#beat(now).catch(failed).finally(() => {
        this.#beating = false
      })
    }
    if (this.#looking) return
    this.#looking = true
    this.#look().catch(failed).finally(() => {
      this.#looking = false
    })
  }

  async #beat(now: number): Promise<void> {
    const { commands, loop } = this.#options
    const text = this.#write()
    const renews = now >= this.#renewAt
    const sent: Promise<unknown>[] = [
      commands.run((client) => client.set(beatOf(loop()), text, { expiration: { type: 'PX', value: BEAT_HOLDS_MS } })),
      this.#say(renews),
    ]
    if (renews) {
      this.#renewAt = now + RENEW_MS
      for (const key of [eventsOf(loop()), livesOf(loop())]) sent.push(commands.run((client) => client.expire(key, KEPT_SECONDS)))
    }
    await Promise.all(sent)
  }

  async #look(): Promise<void> {
    const { commands, loop, epoch, reader, onTaken, onMany } = this.#options
    const own = loop()
    const others = this.#known.filter((name) => name !== own)
    const keys = [LOOPS, beatOf(own), ...others.map(beatOf)]
    const [loops, beats] = await commands.run((client) => runScript(client, LOOK, keys, [2 * MOST_LOOPS])) as [[name: string, age: string][], (string | null)[]]
    if (!this.claimed || own !== loop()) return
    const mine = read(beat, beats[0])
    if (mine !== null && mine.epoch !== epoch()) {
      // Ours had run out, and somebody has taken the name in good faith.
      this.claimed = false
      onTaken()
      return
    }
    const now = Date.now()
    // Another process' clock says nothing here: how long ago something was is told by Redis's.
    for (const [name, age] of loops) reader.find(name)?.seen(now - Number(age))
    const sure = mine !== null && performance.now() - this.#claimedAt > BEAT_HOLDS_MS + LOOK_MS
    others.forEach((name, at) => {
      const record = reader.find(name)
      const heard = read(beat, beats[at + 1])
      if (record === undefined) return
      if (heard !== null) this.#heard(record, heard, now)
      else if (sure && (record.state === 'live' || record.state === 'unknown')) this.#judge(record)
    })
    this.#follow(loops.map(([name]) => name).filter((name) => name !== own), onMany)
  }

  #heard(record: RemoteLoop, heard: Beat, now: number): void {
    record.beat(heard, now)
    const { loop, history: { epoch, last } } = record
    const before = this.#foreign.get(loop)
    if (heard.epoch === epoch) this.#foreign.delete(loop)
    else this.#foreign.set(loop, heard)
    // The life that goes on to beat is the present one.
    const isAlive = before?.epoch === heard.epoch && before.beats !== heard.beats
    if (heard.epoch !== epoch || heard.seq > last) this.#options.reader.suspect(loop, isAlive ? heard.epoch : null)
  }

  /** Its beat has run out: it has closed, or is lost. What it has left behind tells. */
  #judge(record: RemoteLoop): void {
    const { loop } = record
    if (this.#judging.has(loop)) return
    this.#judging.add(loop)
    this.#options.reader.pictureOf(loop).then(({ seen: left }) => {
      const closed = record.closed || (left?.closed === true && left.epoch === record.history.epoch)
      record.become(closed ? 'closed' : 'lost', record.seenAt)
    }, () => {}).finally(() => {
      this.#judging.delete(loop)
    })
  }

  /** Follow those that were heard of last, and forget who has not been for long. */
  #follow(names: readonly string[], onMany: (count: number) => void): void {
    const { reader } = this.#options
    this.#known = names.slice(-MOST_LOOPS)
    if (names.length > MOST_LOOPS) onMany(names.length)
    const known = new Set(this.#known)
    for (const loop of this.#foreign.keys()) if (!reader.has(loop)) this.#foreign.delete(loop)
    for (const record of reader.records) {
      // A Redis that has forgotten everybody will hear of those who live before long.
      const silent = Date.now() - record.seenAt > KEPT_SECONDS * 1000
      if (!known.has(record.loop) && record.state !== 'live' && silent) reader.forget(record.loop)
    }
    for (const name of this.#known) if (!reader.has(name) && reader.size < MOST_LOOPS) reader.follow(name)
  }
}
