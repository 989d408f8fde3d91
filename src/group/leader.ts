// The leader's side of a group: accepts the other processes and keeps what they report of their loops, as many as there is room
// for. Members that have proved that they belong to the group are checked nevertheless: they may be of another version.
import { createServer, type Server, type Socket } from 'node:net'
import { z } from 'zod'
import type { LoopInfo } from '../events/schema.ts'
import { infoOf } from '../observe/loop-registry.ts'
import type { MonitoredLoop } from '../observe/monitored-loop.ts'
import type { CancelOutcome } from '../observe/other-loops.ts'
import { RemoteLoop } from '../observe/remote-loop.ts'
import { beat, granted, LONGEST_NAME, LONGEST_SNAPSHOT, loopSnapshot, run, type LoopSnapshot, type PublishedRun } from '../observe/wire.ts'
import { framesOf, KIND, nextOf, sendJson, type Frame } from './frames.ts'
import { greeting, isProof, LONGEST_GREETING, newNonce, PROOF_MS, proofOf } from './meeting.ts'

/** The most members, and the most connections that have proved nothing yet. */
const MOST_MEMBERS = 256
const MOST_STRANGERS = 64
/** The most loops that are shown after they have ended; the oldest ones are removed. */
const MOST_ENDED = 32
/** The events that are kept of each of the first loops, and of each later one. */
const FIRST_LOOPS = 16
const FIRST_HISTORY = 5000
const HISTORY = 1024
/** A loop counts as lost if it has sent nothing while this process has checked this often. Checks are counted, not seconds: this process may have been stopped. */
const TICK_MS = 500
const MOST_TICKS = 10
/** Other work on this thread waits for at most this many ms. */
const TURN_MS = 8
/** How long a member has to cancel something, in ms, and the most requests without an answer. */
const CANCEL_MS = 6000
const MOST_REQUESTS = 256

/** A member's messages after its greeting. Batches of events are frames of their own. */
const fromMember = z.discriminatedUnion('type', [
  z.object({ type: z.literal('snapshot'), snapshot: loopSnapshot }),
  z.object({ type: z.literal('beat'), beat }),
  z.object({ type: z.literal('run'), run }),
  z.object({ type: z.literal('cancelled'), ...granted.shape }),
  z.object({ type: z.literal('ended') }),
])

interface Member {
  readonly socket: Socket
  readonly loop: string
  record: RemoteLoop | null
  /** The checks since its last message. */
  ticks: number
  /** It has reported that its process ends. */
  ended: boolean
}

export interface LeaderOptions {
  secret: string
  own: MonitoredLoop
  keepSeconds: number
  onLoop: (record: MonitoredLoop) => void
}

export class Leader {
  readonly #options: LeaderOptions
  readonly #server: Server
  readonly #members = new Set<Member>()
  /** By the loops' names, the one that appeared last at the end. */
  readonly #records = new Map<string, RemoteLoop>()
  readonly #sockets = new Set<Socket>()
  readonly #cancels = new Map<number, (found: CancelOutcome) => void>()
  readonly #timer: NodeJS.Timeout
  #ids = 0
  #strangers = 0
  #view: number | null = null

  private constructor(options: LeaderOptions, server: Server) {
    this.#options = options
    this.#server = server
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
    server.on('connection', (socket) => void this.#serve(socket))
  }

  /** Becomes the leader; `null` if another process listens at that address. Rejects if this process cannot listen. */
  static listen(meeting: string, options: LeaderOptions): Promise<Leader | null> {
    return new Promise((resolve, reject) => {
      const server = createServer()
      const leader = new Leader(options, server)
      server.on('error', (error: NodeJS.ErrnoException) => {
        clearInterval(leader.#timer)
        if (error.code === 'EADDRINUSE') resolve(null)
        else reject(error)
      })
      server.listen({ path: meeting, exclusive: true }, () => resolve(leader))
    })
  }

  /** The view is at this port from now on. */
  set view(port: number | null) {
    this.#view = port
    for (const { socket } of this.#members) sendJson(socket, { type: 'view', view: port })
  }

  records(): RemoteLoop[] {
    return [...this.#records.values()].sort((a, b) => (a.loop < b.loop ? -1 : 1))
  }

  find(loop: string): RemoteLoop | undefined {
    return this.#records.get(loop)
  }

  infos(): LoopInfo[] {
    return this.records().map(infoOf)
  }

  /** `late`: there was no answer in time, or the process is not there. */
  async cancel(loop: string, what: 'task' | 'run', target: number): Promise<CancelOutcome> {
    const member = [...this.#members].find((one) => one.loop === loop)
    if (member === undefined || this.#cancels.size >= MOST_REQUESTS) return 'late'
    const id = ++this.#ids
    sendJson(member.socket, { type: 'cancel', id, what, target })
    const found = await new Promise<CancelOutcome>((resolve) => {
      const timer = setTimeout(() => resolve('late'), CANCEL_MS)
      this.#cancels.set(id, (found) => {
        clearTimeout(timer)
        resolve(found)
      })
    })
    this.#cancels.delete(id)
    return found
  }

  close(): void {
    clearInterval(this.#timer)
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    for (const { fanout } of this.#records.values()) fanout.end('the observer is closing')
  }

  async #serve(socket: Socket): Promise<void> {
    socket.on('error', () => {})
    if (this.#strangers >= MOST_STRANGERS || this.#members.size >= MOST_MEMBERS) {
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    let longest = LONGEST_GREETING
    const frames = framesOf(socket, () => longest)
    let member: Member | null = null
    try {
      const loop = await this.#admit(socket, nextOf(frames, greeting))
      member = { socket, loop, record: null, ticks: 0, ended: false }
      this.#members.add(member)
      longest = LONGEST_SNAPSHOT
      let turn = performance.now()
      for await (const frame of frames) {
        this.#receive(member, frame)
        if (performance.now() - turn < TURN_MS) continue
        await new Promise((resolve) => setImmediate(resolve))
        turn = performance.now()
      }
    } catch { /* it is of no group, or of another version, or its process was killed while it was writing */ }
    socket.destroy()
    this.#sockets.delete(socket)
    if (member !== null) this.#left(member)
  }

  /** Lets both sides prove that they have the secret; returns the name of the member's loop. Throws if it has proved nothing in time. */
  async #admit(socket: Socket, greeted: Promise<z.output<typeof greeting>>): Promise<string> {
    const { secret } = this.#options
    this.#strangers++
    const timer = setTimeout(() => socket.destroy(), PROOF_MS)
    try {
      const nonce = newNonce()
      sendJson(socket, { nonce })
      const { nonce: theirs, proof, loop: wanted } = await greeted
      if (!isProof(proof, secret, 'member', nonce)) throw new Error('it does not have the secret')
      const loop = this.#nameFor(wanted)
      sendJson(socket, { proof: proofOf(secret, 'leader', theirs), loop, view: this.#view })
      return loop
    } finally {
      clearTimeout(timer)
      this.#strangers--
    }
  }

  /** The name that was asked for, if no other live loop has it. */
  #nameFor(wanted: string): string {
    const isFree = (loop: string): boolean => loop !== this.#options.own.loop && !this.#isLive(loop)
    for (let number = 1; ; number++) {
      const ending = number === 1 ? '' : `-${number}`
      const loop = `${wanted.slice(0, LONGEST_NAME - ending.length)}${ending}`
      if (isFree(loop)) return loop
    }
  }

  /** Throws if the message is invalid, or something before it is missing. */
  #receive(member: Member, { kind, text }: Frame): void {
    member.ticks = 0
    const { record } = member
    if (kind === KIND.events) {
      const end = text.indexOf('\n')
      const [from, to] = text.slice(0, end).split(' ').map(Number)
      if (record?.batch(record.history.epoch, from as number, to as number, text.slice(end + 1)) !== 'taken') throw new Error('events are missing')
      record.notifyApplied()
      return
    }
    const message = fromMember.parse(JSON.parse(text))
    switch (message.type) {
      case 'snapshot':
        this.#snapshot(member, message.snapshot)
        break
      case 'beat':
        record?.beat(message.beat, Date.now())
        break
      case 'run':
        record?.runs.add(message.run as PublishedRun)
        break
      case 'cancelled':
        this.#cancels.get(message.id)?.(message.found)
        break
      case 'ended':
        member.ended = true
        break
    }
  }

  #snapshot(member: Member, snapshot: LoopSnapshot): void {
    const { loop } = member
    const known = this.#records.get(loop)
    if (known === undefined) {
      const record = new RemoteLoop(loop, snapshot, { history: this.#records.size < FIRST_LOOPS ? FIRST_HISTORY : HISTORY, keepSeconds: this.#options.keepSeconds })
      this.#records.set(loop, record)
      member.record = record
      record.become('live', Date.parse(snapshot.startedAt))
      this.#options.onLoop(record)
      return
    }
    member.record = known
    if (known.history.epoch === snapshot.epoch) known.restore(snapshot)
    else known.restart(snapshot)
    known.become('live', Date.now())
  }

  #isLive(loop: string): boolean {
    return [...this.#members].some((member) => member.loop === loop)
  }

  #tick(): void {
    for (const member of this.#members) {
      if (++member.ticks > MOST_TICKS && member.record?.state === 'live') member.record.become('lost', Date.now())
    }
  }

  #left(member: Member): void {
    const { record, ended } = member
    this.#members.delete(member)
    record?.become(ended || record.closed ? 'closed' : 'lost', Date.now())
    const gone = [...this.#records.values()].filter(({ loop }) => !this.#isLive(loop))
    for (const { loop, fanout } of gone.sort((a, b) => a.since - b.since).slice(0, -MOST_ENDED)) {
      this.#records.delete(loop)
      fanout.end('this loop has ended, and later ones need the room')
    }
  }
}
