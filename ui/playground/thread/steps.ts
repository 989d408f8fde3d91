// Records the lines that the program passes, with its functions and their variables, before each runs. The thread cannot wait in
// the middle of a function: the page shows one line at a time, and the events in between. So the thread is ahead of the page,
// but only as far as the loop runs without a pause for the host, where it waits for the page to catch up.
import { running } from '../../../src/runtime/running.ts'
import type { StepOptions, Stop } from '../messages.ts'
import { preview } from './preview.ts'

/** The most lines that are recorded ahead of the page, after the last breakpoint and in all. */
const MOST_AHEAD = 1000
const MOST_IN_ALL = 5000
/** The most functions of a stack, the variables of one function, and the characters of all values. */
const MOST_FRAMES = 30
const MOST_LOCALS = 50
const MOST_CHARACTERS = 8000

/** Variables by name, each with a function that reads it, and those around them. */
type Scope = readonly [variables: () => (string | (() => unknown))[], outer: Scope] | null

/** A call of a function of the program. */
interface Frame {
  readonly name: string
  /** The function that called it, or the coroutine that awaits it. */
  readonly caller: Frame | null
  readonly task: object | null
  /** Where the variables begin that belong to the code around the function. */
  readonly outer: Scope
  scope: Scope
  line: number
}

/** Sends a message of these, and makes it first. */
type Record = (make: () => Stop | { type: 'ahead' }) => void
type Shown = Stop['stack'][number]['variables']

export class Steps {
  readonly #record: Record
  readonly #taskId: () => number | null
  #current: Frame | null = null
  /** Whether each line is recorded, or only those with a breakpoint. */
  #each: boolean
  /** By line. */
  #breakpoints: readonly boolean[]
  /** How many more lines are recorded before the page catches up. */
  #left = MOST_AHEAD
  #leftInAll = MOST_IN_ALL
  /** Lines that were passed and not recorded. */
  #missed = 0
  /** Whether the loop may run on: nothing is recorded that the page has not asked for. */
  #free = true
  #over = false
  #waiting: (() => void)[] = []

  /** `taskId` gives the id of the running task, as events have it. */
  constructor(options: StepOptions, record: Record, taskId: () => number | null) {
    this.#each = options.each
    this.#breakpoints = byLine(options.breakpoints)
    this.#record = record
    this.#taskId = taskId
  }

  /** A function of the program begins. */
  readonly enter = (name: string, outer: Scope): Frame => {
    const task = running.task
    const caller = this.#current?.task === task ? this.#current : null
    return this.#current = { name, caller, task, outer, scope: outer, line: 0 }
  }

  /** It ends, or lets the code around it run on; with the value that it passes on. */
  readonly leave = (frame: Frame, value?: unknown): unknown => {
    if (this.#current === frame) this.#current = frame.caller
    return value
  }

  /** It goes on, with the value that it got. */
  readonly back = (frame: Frame, value: unknown): unknown => {
    this.#current = frame
    return value
  }

  /** It comes to a line. */
  readonly at = (frame: Frame, line: number, scope: Scope): void => {
    frame.line = line
    frame.scope = scope
    this.#current = frame
    if (this.#over) return
    const wanted = this.#breakpoints[line] === true
    if (wanted && this.#left < MOST_AHEAD) this.#left = MOST_AHEAD
    else if (!this.#each && !wanted) return
    if (this.#left <= 0 || this.#leftInAll <= 0) {
      this.#missed++
      return
    }
    this.#each = true
    this.#free = false
    this.#left--
    this.#leftInAll--
    this.#record(() => this.#stop(frame, line))
    this.#missed = 0
  }

  /** What the compiler's calls are calls of. */
  get hooks(): object {
    const { enter, leave, back, at } = this
    return { enter, leave, back, at }
  }

  /** The page has taken what was recorded, and waits for more. */
  go({ each, breakpoints }: StepOptions): void {
    this.#each = each
    this.#breakpoints = byLine(breakpoints)
    this.#left = MOST_AHEAD
    this.#leftInAll = MOST_IN_ALL
    this.#free = true
    const waiting = this.#waiting
    this.#waiting = []
    for (let at = 0; at < waiting.length; at++) this.pause(waiting[at] as () => void)
  }

  /** Nothing more is recorded: the program runs to its end. */
  end(): void {
    this.#over = true
    this.go({ each: false, breakpoints: [] })
  }

  /** The loop pauses for the host and continues with `fn`: at once, or when the page has caught up. */
  pause(fn: () => void): void {
    if (this.#free) {
      fn()
      return
    }
    if (this.#waiting.length === 0) this.#record(() => ({ type: 'ahead' }))
    this.#waiting[this.#waiting.length] = fn
  }

  #stop(innermost: Frame, line: number): Stop {
    const left = { characters: MOST_CHARACTERS }
    const stack: Stop['stack'] = []
    for (let frame: Frame | null = innermost; frame !== null && stack.length < MOST_FRAMES; frame = frame.caller) {
      stack[stack.length] = { function: frame.name, line: frame.line, variables: variablesOf(frame, left) }
    }
    return { type: 'stop', line, task: this.#taskId(), missed: this.#missed, stack }
  }
}

function byLine(lines: readonly number[]): boolean[] {
  const marked: boolean[] = []
  for (let at = 0; at < lines.length; at++) marked[lines[at] as number] = true
  return marked
}

function variablesOf({ scope, outer }: Frame, left: { characters: number }): Shown {
  const shown: Shown = []
  const names: string[] = []
  let local = true
  for (let level = scope; level !== null; level = level[1]) {
    if (level === outer) local = false
    const variables = level[0]()
    for (let at = 0; at < variables.length; at += 2) {
      if (shown.length === MOST_LOCALS || left.characters <= 0) return shown
      const name = variables[at] as string
      // An inner variable of the same name, which may not be initialized yet.
      if (isIn(names, name)) continue
      names[names.length] = name
      let value: unknown
      try {
        value = (variables[at + 1] as () => unknown)()
      } catch {
        continue
      }
      const text = preview(value)
      left.characters -= name.length + text.length
      shown[shown.length] = { name, value: text, local }
    }
  }
  return shown
}

function isIn(names: readonly string[], name: string): boolean {
  for (let at = 0; at < names.length; at++) if (names[at] === name) return true
  return false
}
