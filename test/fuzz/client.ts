// Plays a try on a connection, and reports the result.
import { connect, type Socket } from 'node:net'
import { Answers } from './answers.ts'
import { Frames } from './frames.ts'
import type { Port, Try } from './try.ts'

export interface Outcome {
  answers: Answers
  frames: Frames
  /** Whether the server has closed the connection, and what that cut off. */
  closed: boolean
  cutOff: string | null
  /** What did not arrive in time. */
  missing: string | null
}

/** How long a server has to answer, or to close a connection, in ms: a busy machine is slow. */
const PATIENCE_MS = 20_000
/** How long nothing may arrive before a client that expects an unknown number of answers assumes the end. */
const QUIET_MS = 25
/** The longest time that a leaving client stays. */
const STAY_MS = 20

export class Client {
  readonly #ports: Record<Port, number>
  /** Connections that may be used again. */
  readonly #idle: Record<Port, Socket[]> = { app: [], observer: [] }

  constructor(ports: Record<Port, number>) {
    this.#ports = ports
  }

  /** Closes what is kept open. */
  close(): void {
    for (const sockets of Object.values(this.#idle)) for (const socket of sockets.splice(0)) socket.destroy()
  }

  /** A server may close an idle connection. */
  #keep(to: Port, socket: Socket): void {
    const idle = this.#idle[to]
    socket.on('error', () => {})
    socket.once('close', () => {
      const at = idle.indexOf(socket)
      if (at >= 0) idle.splice(at, 1)
    })
  }

  play(one: Try): Promise<Outcome> {
    return new Promise((resolve) => {
      const kept = one.reuse === true ? this.#idle[one.to].pop() : undefined
      const socket = kept ?? connect({ port: this.#ports[one.to], host: '127.0.0.1', noDelay: true })
      new Playing(one, socket, (outcome, usable) => {
        if (usable) {
          this.#idle[one.to].push(socket)
          if (kept === undefined) this.#keep(one.to, socket)
        } else if (one.resets === true) socket.resetAndDestroy()
        else socket.destroy()
        resolve(outcome)
      }).start(kept !== undefined)
    })
  }
}

class Playing {
  readonly #one: Try
  readonly #socket: Socket
  readonly #done: (outcome: Outcome, usable: boolean) => void
  readonly #answers: Answers
  readonly #frames = new Frames()
  #timer: NodeJS.Timeout | undefined
  #quiet: NodeJS.Timeout | undefined
  #sent = false
  #ended = false
  #over = false

  constructor(one: Try, socket: Socket, done: (outcome: Outcome, usable: boolean) => void) {
    this.#one = one
    this.#socket = socket
    this.#done = done
    this.#answers = new Answers(one.methods)
    this.#answers.onSwitched = (bytes) => this.#frames.push(bytes)
  }

  start(connected: boolean): void {
    const socket = this.#socket
    socket.on('data', this.#onData)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
    if (connected) void this.#send(this.#one.pieces)
    else socket.once('connect', () => void this.#send(this.#one.pieces))
    this.#timer = setTimeout(() => this.#finish(this.#missing()), PATIENCE_MS)
  }

  #missing(): string {
    const { whole, all } = this.#answers
    return `${whole} of ${this.#one.methods.length} requests were answered${all.length > whole ? ', one in part' : ''}, and the connection is open`
  }

  readonly #onError = (): void => {}
  readonly #onClose = (): void => this.#finish(null, true)
  readonly #onData = (bytes: Buffer): void => {
    const before = this.#answers.switched
    this.#answers.push(bytes)
    if (this.#answers.problem !== null || this.#frames.problem !== null) this.#finish(null)
    else if (!before && this.#answers.switched) this.#onSwitch()
    else this.#look()
  }

  async #send(pieces: readonly Buffer[]): Promise<void> {
    for (const [at, piece] of pieces.entries()) {
      if (at > 0) await new Promise((resolve) => setImmediate(resolve))
      if (this.#over) return
      this.#socket.write(piece)
    }
    this.#sent = true
    if (this.#one.ending === 'left' && (this.#one.frames === undefined || this.#answers.switched)) setTimeout(() => this.#finish(null), (pieces[0]?.length ?? 0) % STAY_MS)
    this.#look()
  }

  #onSwitch(): void {
    const { frames } = this.#one
    if (frames === undefined) this.#finish(null)
    else void this.#send(frames)
  }

  /** Checks whether that is all, or what to do next. */
  #look(): void {
    if (this.#over || !this.#sent) return
    const { ending, methods } = this.#one
    const { all, whole } = this.#answers
    // The client must answer the server's close frame.
    if (this.#frames.closed !== null && !this.#ended) {
      this.#ended = true
      this.#socket.end()
    }
    if (ending === 'answered' && whole >= methods.length) this.#finish(null)
    else if (ending === 'begun' && all.length >= methods.length && ((all.at(-1)?.status ?? 0) < 400 || whole >= methods.length)) this.#finish(null)
    else if (ending === 'left') this.#quiet ??= setTimeout(() => this.#finish(null), STAY_MS)
    else if (ending === 'over' && !this.#ended) {
      clearTimeout(this.#quiet)
      this.#quiet = setTimeout(() => {
        this.#ended = true
        this.#socket.end()
      }, QUIET_MS)
    }
  }

  #finish(missing: string | null, closed = false): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#timer)
    clearTimeout(this.#quiet)
    const answers = this.#answers
    const socket = this.#socket
    socket.off('data', this.#onData)
    socket.off('close', this.#onClose)
    const cutOff = closed ? answers.close() : null
    const last = answers.all.at(-1)?.headers.get('connection')
    const usable = this.#one.reuse === true && !closed && missing === null && answers.problem === null && answers.between && answers.all.length > 0 && last !== 'close'
    if (usable) socket.off('error', this.#onError)
    this.#done({ answers, frames: this.#frames, closed, cutOff, missing }, usable)
  }
}
