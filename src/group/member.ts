// A member's side of a group: sends its leader what happens on this process' loop. It has no buffer: like any subscriber, it
// has a cursor in the history. If the history has moved past it, a snapshot replaces what is missing.
import { connect, type Socket } from 'node:net'
import type { RunRecord } from '../events/run-log.ts'
import type { MonitoredLoop } from '../observe/monitored-loop.ts'
import type { CancelHere } from '../observe/other-loops.ts'
import { brief, joined, snapshotOf, snapshotText, type OfProcess } from '../observe/wire.ts'
import { encode, framesOf, KIND, nextOf, sendJson, type Frames } from './frames.ts'
import { challenge, isProof, LONGEST_GREETING, newNonce, PROOF_MS, proofOf, toMember, welcome } from './meeting.ts'

/** The most events in a batch, and the bytes beyond which no further event is added. */
const BATCH = 512
const BATCH_BYTES = 256 * 1024
/** Events are collected for this many ms, unless one is urgent. */
const GATHER_MS = 20
const BEAT_MS = 500

export interface MemberOptions {
  secret: string
  own: MonitoredLoop
  /** The name that this process' loop would have. */
  name: () => string
  ofProcess: () => OfProcess
  cancel: CancelHere
  /** The leader has given this process' loop another name. */
  onName: (name: string) => void
  /** The view of the group is at this port. */
  onView: (port: number | null) => void
}

/** `none`: nothing listens at the address, or no longer. `foreign`: what listens there has not proved that it belongs to the group. */
export type Missing = 'none' | 'foreign'

export class Member {
  /** The name that the leader has given to this process' loop. */
  readonly loop: string
  /** Resolves when the connection has ended. */
  readonly over: Promise<void>
  readonly #options: MemberOptions
  readonly #socket: Socket
  readonly #timer: NodeJS.Timeout
  readonly #stop: () => void
  #gather: NodeJS.Timeout | null = null
  #sent = 0
  #beats = 0

  private constructor(options: MemberOptions, socket: Socket, frames: Frames, { loop, view }: { loop: string; view: number | null }) {
    this.#options = options
    this.#socket = socket
    this.loop = loop
    if (options.own.loop !== loop) {
      options.own.loop = loop
      options.onName(loop)
    }
    options.onView(view)
    socket.on('drain', () => this.#pump())
    this.#stop = options.own.listen((urgent) => {
      if (urgent) this.#pump()
      else this.#gather ??= setTimeout(() => this.#pump(), GATHER_MS)
    })
    this.#timer = setInterval(() => this.#beat(), BEAT_MS)
    this.#snapshot()
    this.#beat()
    this.over = this.#receive(frames)
  }

  /** Joins the group whose leader listens at this address. */
  static async join(meeting: string, options: MemberOptions): Promise<Member | Missing> {
    const socket = connect(meeting)
    let missing: Missing = 'none'
    socket.on('error', () => {})
    const timer = setTimeout(() => {
      missing = 'foreign'
      socket.destroy()
    }, PROOF_MS)
    const frames = framesOf(socket, () => LONGEST_GREETING)
    try {
      const { nonce } = await nextOf(frames, challenge)
      const ours = newNonce()
      sendJson(socket, { nonce: ours, proof: proofOf(options.secret, 'member', nonce), loop: options.name() })
      const answer = await nextOf(frames, welcome)
      missing = 'foreign'
      if (!isProof(answer.proof, options.secret, 'leader', ours)) throw new Error('it does not have the secret')
      return new Member(options, socket, frames, answer)
    } catch {
      socket.destroy()
      return missing
    } finally {
      clearTimeout(timer)
    }
  }

  addRun(run: RunRecord): void {
    sendJson(this.#socket, { type: 'run', run: brief(run) })
  }

  /** The process ends: sends what is left, as far as there is room. */
  end(): void {
    this.#pump()
    sendJson(this.#socket, { type: 'ended' })
  }

  close(): void {
    this.end()
    this.#socket.destroySoon()
  }

  async #receive(frames: Frames): Promise<void> {
    const { onView, cancel } = this.#options
    try {
      for await (const { text } of frames) {
        const message = toMember.parse(JSON.parse(text))
        if (message.type === 'view') onView(message.view)
        else void cancel(message.what, message.target).then((found) => sendJson(this.#socket, { type: 'cancelled', id: message.id, found }))
      }
    } catch { /* its process was killed while it was writing, or it is of another version */ }
    this.#socket.destroy()
    this.#stop()
    clearInterval(this.#timer)
    if (this.#gather !== null) clearTimeout(this.#gather)
  }

  #beat(): void {
    if (this.#socket.writableNeedDrain) return
    const { own, ofProcess } = this.#options
    const { info } = ofProcess()
    sendJson(this.#socket, { type: 'beat', beat: { beats: ++this.#beats, epoch: own.history.epoch, seq: this.#sent, t: own.now(), info, holding: own.holding } })
  }

  #snapshot(): void {
    const { own, ofProcess } = this.#options
    this.#sent = own.history.last
    this.#socket.write(encode(KIND.json, `{"type":"snapshot","snapshot":${snapshotText(snapshotOf(own, ofProcess()))}}`))
  }

  /** Sends events, as many as the connection takes. */
  #pump(): void {
    if (this.#gather !== null) clearTimeout(this.#gather)
    this.#gather = null
    const { history } = this.#options.own
    while (this.#sent < history.last && !this.#socket.writableNeedDrain && this.#socket.writable) {
      const from = this.#sent + 1
      const texts: string[] = []
      let bytes = 0
      for (let event = history.find(from); event !== null && texts.length < BATCH && bytes < BATCH_BYTES; event = history.find(from + texts.length)) {
        const text = history.encoded(event)
        texts.push(text)
        bytes += text.length
      }
      if (texts.length === 0) {
        this.#snapshot()
        return
      }
      this.#sent += texts.length
      this.#socket.write(encode(KIND.events, `${from} ${this.#sent}\n${joined(texts)}`))
    }
  }
}
