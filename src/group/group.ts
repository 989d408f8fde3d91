// The processes that one watched program consists of: those that `loopscope run` has started, or that a watched process has.
// The first one leads: it serves the view, and the others join it. If it ends, another one leads and takes its port.
import { unlinkSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import type { LoopInfo } from '../events/schema.ts'
import type { RunRecord } from '../events/run-log.ts'
import type { MonitoredLoop } from '../observe/monitored-loop.ts'
import type { CancelOutcome, Cluster } from '../observe/other-loops.ts'
import { Leader, type LeaderOptions } from './leader.ts'
import { isFile, meetingOf } from './meeting.ts'
import { Member, type MemberOptions } from './member.ts'

/** A process that has found no group tries again after this many ms. */
const AGAIN_MS = 5000
/** Others may become the leader between two attempts, and end. */
const MOST_ATTEMPTS = 20
/** A process that another one has started waits for this many ms at most until that one leads, and looks this often. */
const WAIT_MS = 1000
const LOOK_MS = 50

/** `alone`: what is at the address of the group does not answer, or is something else. */
export type Role = 'leader' | 'member' | 'alone'

export interface GroupOptions extends Omit<MemberOptions, 'onView'>, Omit<LeaderOptions, 'onLoop'> {
  /** No other process of the group has started this one. */
  first: boolean
  /** This process leads from now on, in place of another one, whose view was at this port. */
  onLead: (port: number | null) => void
}

export class Group implements Cluster {
  readonly redis = null
  role: Role = 'alone'
  readonly #options: GroupOptions
  readonly #meeting: string
  #leader: Leader | null = null
  #member: Member | null = null
  #view: number | null = null
  #listeners: ((record: MonitoredLoop) => void)[] = []
  #timer: NodeJS.Timeout | undefined
  /** It leads if no other process does. */
  #first: boolean
  /** Another process has served the view until now. */
  #wasMember = false
  #closing = false

  constructor(options: GroupOptions) {
    this.#options = options
    this.#first = options.first
    this.#meeting = meetingOf(options.secret)
  }

  /** Joins the group, or becomes its leader. Never rejects. */
  async join(): Promise<void> {
    this.role = await this.#seek(this.#first ? 0 : performance.now() + WAIT_MS)
    this.#first = true
    if (this.#leader !== null) this.#leader.view = this.#view
    if (this.role === 'leader' && this.#wasMember) this.#options.onLead(this.#view)
    this.#wasMember = this.role === 'member' || (this.#wasMember && this.role === 'alone')
    if (this.role === 'alone' && !this.#closing) this.#timer = globalThis.setTimeout(() => void this.join(), AGAIN_MS)
  }

  /** The port at which this process serves the view of the group. */
  set view(port: number | null) {
    this.#view = port
    if (this.#leader !== null) this.#leader.view = port
  }

  get several(): boolean {
    return this.records().length > 0
  }

  figures(): null {
    return null
  }

  records(): MonitoredLoop[] {
    return this.#leader?.records() ?? []
  }

  find(loop: string): MonitoredLoop | undefined {
    return this.#leader?.find(loop)
  }

  infos(): LoopInfo[] {
    return this.#leader?.infos() ?? []
  }

  onLoop(listener: (record: MonitoredLoop) => void): () => void {
    this.#listeners = [...this.#listeners, listener]
    return () => {
      this.#listeners = this.#listeners.filter((other) => other !== listener)
    }
  }

  async cancel(loop: string, what: 'task' | 'run', target: number): Promise<CancelOutcome> {
    return await this.#leader?.cancel(loop, what, target) ?? 'late'
  }

  addRun(run: RunRecord): void {
    this.#member?.addRun(run)
  }

  /** The process ends. */
  end(): void {
    this.#member?.end()
    this.#removeFile()
  }

  close(): Promise<void> {
    this.#closing = true
    clearTimeout(this.#timer)
    this.#member?.close()
    this.#leader?.close()
    return Promise.resolve()
  }

  /** It leads if no other process does at this time, by `performance.now()`. */
  async #seek(from: number): Promise<Role> {
    const onLoop = (record: MonitoredLoop): void => {
      for (const listener of this.#listeners) listener(record)
    }
    const onView = (port: number | null): void => {
      this.#view = port ?? this.#view
    }
    for (let attempt = 0; attempt < MOST_ATTEMPTS && !this.#closing; attempt++) {
      const found = await Member.join(this.#meeting, { ...this.#options, onView })
      if (found instanceof Member) {
        this.#member = found
        void found.over.then(() => this.#leaderEnded())
        return 'member'
      }
      if (found === 'foreign') return 'alone'
      if (performance.now() < from) {
        await setTimeout(LOOK_MS)
        attempt = -1
        continue
      }
      try {
        this.#leader = await Leader.listen(this.#meeting, { ...this.#options, onLoop })
      } catch {
        return 'alone'
      }
      if (this.#leader !== null) return 'leader'
      await setTimeout(LOOK_MS)
      // A file that remains of a process that was killed: nothing listens there, as the attempt to join has shown.
      if (attempt > MOST_ATTEMPTS / 2) this.#removeFile(true)
    }
    return 'alone'
  }

  #leaderEnded(): void {
    this.#member = null
    if (!this.#closing) void this.join()
  }

  #removeFile(always = false): void {
    if (!isFile(this.#meeting) || (this.#leader === null && !always)) return
    try {
      unlinkSync(this.#meeting)
    } catch { /* another process has removed it */ }
  }
}
