// The same random programs on both loops, as events: ours by our recorder, CPython's as a program for the page.
import { readFile } from 'node:fs/promises'
import { EventLoop, VirtualClock, type Task } from '../../../src/index.ts'
import * as runtime from '../../../src/index.ts'
import { running } from '../../../src/runtime/running.ts'
import { stamp } from '../../../src/events/builder.ts'
import { Recorder } from '../../../src/events/recorder.ts'
import type { LoopEvent } from '../../../src/events/schema.ts'
import { STRIDE } from '../../../ui/playground/messages.ts'
import { toPython } from '../../conformance/python.ts'
import type { RuntimeModule } from '../../conformance/runtime.ts'
import { runOurs } from '../../conformance/subject.ts'
import { Support } from '../../conformance/support.ts'
import type { Program } from '../../conformance/tree.ts'
import { toTypeScript } from '../../conformance/typescript.ts'

const namesOf = (program: Program): string[] => program.variables.map(({ name }) => name)

/** The coroutines of the tasks by which a runner ends. The playground hides them. */
const ENDING = new Set(['nothing', 'shutdownDefaultExecutor'])

let current: Recorder | null = null

/** The lines of a program are recorded as printed, so that their place among the events is compared. */
const write = Object.getOwnPropertyDescriptor(Support.prototype, 'write')?.value as (this: Support, text: string) => void
Support.prototype.write = function (text) {
  write.call(this, text)
  if (running.loop !== null) current?.printed(running.task as Task<unknown> | null, this.lines.at(-1) ?? '')
}

/** The events of a program on our loop, and whether it ended. */
export async function ourEvents(program: Program): Promise<{ events: LoopEvent[]; ended: boolean }> {
  const events: LoopEvent[] = []
  const hidden = new Set<number>()
  class Recorded extends EventLoop {
    constructor() {
      super({ clock: new VirtualClock(), hold: false })
      current = new Recorder(this, { name: 'playground' })
      current.listen((event) => {
        if (event.type === 'task.created' && ENDING.has(event.coroutine)) hidden.add(event.task)
        if (!('task' in event) || event.task === undefined || !hidden.has(event.task)) events.push(event)
      })
    }
  }
  const { ended } = await runOurs({ ...runtime, EventLoop: Recorded } as unknown as RuntimeModule, { source: toTypeScript(program), left: namesOf(program) })
  return { events, ended }
}

const prelude = (await Promise.all(['../../conformance/virtualloop.py', '../../conformance/oracle.py'].map((name) => readFile(new URL(name, import.meta.url), 'utf8')))).join('\n')
const driver = await readFile(new URL('oracle-page.py', import.meta.url), 'utf8')

/** Programs as one program of the page, in Python. */
export function pythonFor(programs: readonly Program[]): string {
  const list = JSON.stringify(programs.map((program) => [toPython(program), namesOf(program)]))
  return `${prelude}\nimport json\nprograms = json.loads(${JSON.stringify(list)})\n${driver}`
}

/** The events of each loop, numbered as if there were no other. `stride` is the distance of the ids of two loops. */
export function split(events: readonly LoopEvent[], stride = STRIDE): LoopEvent[][] {
  const loops: LoopEvent[][] = []
  let current: LoopEvent[] = []
  for (const event of events) {
    const base = loops.length * stride
    const copy = structuredClone(event) as LoopEvent & Record<'task' | 'parent' | 'by' | 'queue', number | undefined>
    for (const key of ['task', 'parent', 'by', 'queue'] as const) if (copy[key] !== undefined) copy[key] -= base
    if (copy.type === 'task.suspended') for (const key of ['task', 'holder'] as const) if (copy.on[key] !== undefined) copy.on[key] -= base
    current.push(copy)
    if (event.type !== 'loop.closed') continue
    loops.push(current)
    current = []
  }
  return current.length > 0 ? [...loops, current] : loops
}

/**
 * Events as lines, without what twins need not share: lines of code, the numbers that our process gives its queues and locks,
 * the texts of errors, which are our own, the time at which a loop began, how many tasks there were before it, the stalls of a slow machine, and
 * what only our runtime knows of a wait: the owners of a semaphore's permits, and when a `timeout()` cancels it.
 */
export function plain(events: readonly LoopEvent[]): string[] {
  const numbers = new Map<string, number>()
  const renumber = (kind: string, number: string | number): number => {
    const key = `${kind} ${number}`
    if (!numbers.has(key)) numbers.set(key, [...numbers.keys()].filter((other) => other.startsWith(`${kind} `)).length + 1)
    return numbers.get(key) as number
  }
  const label = (text: string): string => text
    .replace(/ created at [^>]*/, '')
    .replace(/^<FinishedQueue/, '<Queue')
    .replace(/^<(\w*Queue) (\d+)/, (_, kind: string, number: string) => `<${kind} ${renumber('queue', number)}`)
    .replace(/^<(\w+) (\d+)>$/, (_, kind: string, number: string) => `<${kind} ${renumber(kind, number)}>`)
  const began = events[0]?.t ?? 0
  const named = events.flatMap((event) => event.type === 'task.created' ? [Number(/^Task-(\d+)$/.exec(event.name)?.[1] ?? NaN)] : []).find((number) => !Number.isNaN(number)) ?? 1
  const nameOf = (text: string): string => text.replace(/^Task-(\d+)$/, (_, number: string) => `Task-${Number(number) - named + 1}`)
  return events.filter(({ type }) => type !== 'loop.blocked').map(({ seq: _, loop: __, ...event }) => {
    const { location: ___, ...copy } = { location: undefined, ...structuredClone(event) }
    copy.t = stamp(copy.t - began)
    if ('name' in copy && copy.name !== undefined) copy.name = nameOf(copy.name)
    if ('on' in copy) {
      delete copy.on.owners
      delete copy.on.timeout
    }
    if ('on' in copy && copy.on.deadline !== undefined) copy.on.deadline = stamp(copy.on.deadline - began)
    if ('on' in copy && copy.on.kind === 'task' && copy.on.label !== undefined) copy.on.label = nameOf(copy.on.label)
    if ('queue' in copy) copy.queue = renumber('queue', copy.queue)
    if ('on' in copy && copy.on.queue !== undefined) copy.on.queue = renumber('queue', copy.on.queue)
    if ('on' in copy && copy.on.label !== undefined) copy.on.label = label(copy.on.label)
    if ('coroutine' in copy && !/^(main|\w\d+)$/.test(copy.coroutine)) copy.coroutine = 'of the library'
    if ('error' in copy && copy.error !== undefined) copy.error = copy.error.replace(/:.*/s, '').replace('RangeError', 'ValueError').replace(/^(Nothing|null|undefined|0|"")$/, 'not an error')
    return JSON.stringify(copy, (_key, value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value).sort()) : value)
  })
}
