// What blocked the loop, and what that delayed. The observer reports stalls while they last. Without an observer, they are
// found here, from the steps.
import type { EventOf, FlameBox, Frame, LiveTask, StallFigures, StallKind, StallShare, Victim } from '../../src/events/schema.ts'
import { AMBER, CALLBACK, candidatesOf, MOST_VICTIMS, totalOf, victimsOf } from '../../src/events/stalls.ts'
import { culpritOf as culpritAmong } from '../../src/own-code.ts'
import { isInnocent } from './stall-kind.ts'
import { milliseconds, trim } from './time.ts'
import { OVERDUE, type Lane } from './track.ts'

export { AMBER, RED } from '../../src/events/stalls.ts'
export type { Victim }

const MOST_STALLS = 500

/** The layers beneath a program, which are never the culprit. The examples' clock only forwards a wait. */
const BENEATH = /(^|[/\\])src[/\\](runtime|hosts|threads|probe|observe)[/\\]|(^|[/\\])examples[/\\]pace\.[jt]s$/
const INSTALLED = /(^|[/\\])node_modules[/\\]loopscope[/\\]/

export interface Stall {
  /** Counts up from 1, for lists. */
  readonly id: number
  task: number | null
  name: string
  run: number | null
  request: number | null
  from: number
  /** null while it lasts. */
  to: number | null
  seconds: number
  stack: Frame[]
  /** What kind of freeze it is, if the observer has said so, and by what that was judged. */
  kind: StallKind | null
  figures: StallFigures
  /** The lines that were innermost for longest, and a flame graph; empty while it lasts. */
  shares: readonly StallShare[]
  flame: readonly FlameBox[]
  /** The tasks and requests with the longest delays. */
  victims: Victim[]
  /** The number of further delayed tasks. */
  others: number
  /** The sum of all delays, in seconds. */
  lost: number
  /** Reported by the observer, not only found from the steps. */
  reported: boolean
  /** The program has no tasks, so nothing is known of what it delayed. */
  blind: boolean
}

/** What a stall can delay: the part of a recording that is needed here. */
interface Alive {
  readonly lanes: { readonly tasks: Pick<ReadonlyMap<number, LiveTask>, 'get' | 'values'> }
  readonly requests: ReadonlyMap<number, { method: string; url: string; left: number | null }>
}

export class Stalls {
  readonly all: Stall[] = []
  /** The stall that lasts now. */
  open: Stall | null = null
  #ids = 0

  forget(t: number): void {
    const kept = this.all.findIndex((stall) => stall.to === null || stall.to >= t)
    this.all.splice(0, kept < 0 ? this.all.length : kept)
  }

  blocked(event: EventOf<'loop.blocked'>, lane: Lane | null): void {
    let stall = this.open
    if (stall === null || stall.task !== (event.task ?? null) || Math.abs(stall.from - event.since) > 0.01) {
      stall = this.#find(event.task ?? null, event.since)
      if (stall?.to !== null) stall = null
    }
    stall ??= this.#add(event.task ?? null, event.name, event.since, lane)
    // A loop has one stall at a time. If the end of the last one is missing, it ended before this one began.
    if (this.open !== stall) this.#closeOpen(event.since)
    stall.reported = true
    stall.seconds = Math.max(stall.seconds, event.seconds)
    if (event.stack !== undefined && event.stack.length > 0) stall.stack = event.stack
    stall.name = event.name
    judge(stall, event)
    this.open = stall
  }

  unblocked(event: EventOf<'loop.unblocked'>, lane: Lane | null, hasTasks = true): Stall {
    const from = event.since ?? event.t - event.seconds
    // The final report may correct the beginning or the task of a stall that was reported while it lasted.
    const stall = this.#find(event.task ?? null, from) ?? this.open ?? this.#add(event.task ?? null, event.name ?? lane?.name ?? CALLBACK, from, lane)
    if (event.name !== undefined) stall.name = event.name
    stall.reported = true
    stall.to ??= stall.from + event.seconds
    if (event.stack !== undefined && event.stack.length > 0) stall.stack = event.stack
    stall.seconds = event.seconds
    judge(stall, event)
    stall.shares = event.shares ?? []
    stall.flame = event.flame ?? []
    stall.victims = [...event.victims].sort((a, b) => b.seconds - a.seconds)
    stall.others = 0
    stall.blind = !hasTasks
    stall.lost = event.lost
    if (this.open === stall) this.open = null
    this.#closeOpen(from + event.seconds)
    return stall
  }

  /** A step has ended, after `to - from` seconds. */
  stepped(lane: Lane, from: number, to: number, alive: Alive): void {
    const open = this.open
    if (open !== null && open.task === lane.id) {
      open.to = to
      open.seconds = to - open.from
      this.open = null
      if (!open.reported || open.victims.length === 0) this.#count(open, alive)
      return
    }
    if (to - from < AMBER) return
    const stall = this.#find(lane.id, from) ?? this.#add(lane.id, lane.name, from, lane)
    stall.to = to
    stall.seconds = to - from
    if (stall.victims.length === 0) this.#count(stall, alive)
  }

  #closeOpen(t: number): void {
    const { open } = this
    this.open = null
    if (open === null) return
    open.to ??= open.from + Math.min(open.seconds, Math.max(0, t - open.from))
    open.seconds = open.to - open.from
  }

  #count(stall: Stall, alive: Alive): void {
    if (stall.to === null) return
    const all = victimsAt(stall, stall.to, alive)
    stall.victims = all.slice(0, MOST_VICTIMS)
    stall.others = all.length - stall.victims.length
    stall.lost = totalOf(all)
  }

  #find(task: number | null, from: number): Stall | null {
    for (let at = this.all.length - 1; at >= 0 && at > this.all.length - 8; at--) {
      const stall = this.all[at] as Stall
      if (stall.task === task && Math.abs(stall.from - from) < 0.02) return stall
    }
    return null
  }

  #add(task: number | null, name: string, from: number, lane: Lane | null): Stall {
    const stall: Stall = {
      id: ++this.#ids, task, name, run: lane?.run ?? null, request: lane?.request ?? null, from, to: null, seconds: 0, stack: [],
      kind: null, figures: {}, shares: [], flame: [],
      victims: [], others: 0, lost: 0, reported: false, blind: false,
    }
    this.all.push(stall)
    if (this.all.length > MOST_STALLS) this.all.shift()
    return stall
  }
}

function judge(stall: Stall, { kind, figures }: { kind?: StallKind | undefined; figures?: StallFigures | undefined }): void {
  if (kind === undefined) return
  stall.kind = kind
  stall.figures = figures ?? {}
}

/** The frame of the program's own code, found by the names of loopscope's folders; null without a stack. */
export function culpritOf(stack: readonly Frame[]): Frame | null {
  // If the library is installed, src/runtime may be a folder of the program.
  const beneath = stack.some(({ file }) => INSTALLED.test(file)) ? INSTALLED : BENEATH
  return culpritAmong(stack, (file) => beneath.test(file)) ?? stack[0] ?? null
}

/** The line that has caused a stall; null without a stack, and if the code that ran is not the cause. */
export function blameOf(stall: Stall): Frame | null {
  return isInnocent(stall) ? null : culpritOf(stall.stack)
}

/** The tasks and requests that a stall delays, at a time while it lasts, and the delay of each. */
export function victimsAt({ from, task, request }: Stall, to: number, { lanes, requests }: Alive): Victim[] {
  return victimsOf(candidatesOf(lanes.tasks.values(), requests, task, to - OVERDUE), from, to, request, OVERDUE).sort((a, b) => b.seconds - a.seconds)
}

/** What a stall did, in one sentence: "GET /handlers/sync #42 blocked the loop for 2,003 ms; 6 tasks delayed by 11.4 s in total". */
export function blastRadius(stall: Stall, seconds = stall.seconds): string {
  return stall.to === null ? blockedFor(stall, seconds) : `${blockedFor(stall, seconds)}; ${delayedBy(stall)}`
}

/** What blocked the loop, and for how long. */
export function blockedFor(stall: Stall, seconds: number): string {
  const { name, to, kind } = stall
  if (isInnocent(stall)) {
    return `the loop ${to === null ? 'has not run' : 'did not run'} for ${milliseconds(seconds)}: ${kind === 'starved' ? 'the machine gave it no processor' : 'the whole process was stopped'}`
  }
  return `${name} ${to === null ? 'has blocked' : 'blocked'} the loop for ${milliseconds(seconds)}`
}

/** What a stall delayed, once it is over. */
export function delayedBy({ victims, others, lost, blind }: Stall): string {
  if (victims.length === 0) return blind ? 'what it delayed is not known' : 'it delayed no task'
  const requests = victims.filter(({ request }) => request !== undefined).length
  const what = [count(victims.length - requests + others, 'task'), count(requests, 'request')].filter((part) => part !== '').join(' and ')
  // A request that was not read arrived during the stall; when exactly is not known.
  const most = victims.some(({ task }) => task === undefined) ? 'up to ' : ''
  return `${what} delayed by ${most}${lost < 0.1 ? milliseconds(lost) : `${trim(lost)} s`}${victims.length + others > 1 ? ' in total' : ''}`
}

function count(many: number, what: string): string {
  return many === 0 ? '' : `${many.toLocaleString('en-US')} ${what}${many === 1 ? '' : 's'}`
}
