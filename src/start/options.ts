// How a program is watched from its start: options of `loopscope run`, and the same as variables of the environment, which
// reach the program and all Node processes that it starts.
import { randomBytes } from 'node:crypto'
import { readValue, UsageError, type Given, type Options } from '../command/arguments.ts'

export const WATCH_OPTIONS: Options = {
  port: { kind: 'whole', value: 'N', least: 0, most: 65_535, help: 'the port of the live view (8001), or the next free one; 0 for any' },
  host: { kind: 'text', value: 'ADDRESS', help: 'the address that it listens on (127.0.0.1)' },
  open: { kind: 'flag', help: 'open the view in a browser' },
  'on-port': { kind: 'text', value: 'COMMAND', help: 'run this once, when the program listens; $PORT is its port' },
  output: { kind: 'text', value: 'FILE', help: 'record the events: loopscope view FILE shows them' },
  threshold: { kind: 'number', value: 'MS', least: 1, most: 3_600_000, help: 'report a stall from this many milliseconds on (50)' },
}

const PREFIX = 'LOOPSCOPE_'
/** The process whose descendants have the variable. */
export const PARENT = 'LOOPSCOPE_PARENT'
/** What the processes have in common that one view shows. Others must not know it. */
export const GROUP = 'LOOPSCOPE_GROUP'
/** Variables of other parts. */
const OTHERS = new Set([PARENT, GROUP, 'LOOPSCOPE_DEBUG'])

export const variableOf = (option: string): string => PREFIX + option.toUpperCase().replaceAll('-', '_')

export interface WatchOptions {
  port: number | undefined
  host: string | undefined
  open: boolean
  onPort: string | null
  output: string | null
  threshold: number | undefined
}

/** The options as variables. */
export function toVariables(given: Given): Record<string, string> {
  return Object.fromEntries([...given].map(([name, value]) => [variableOf(name), value === true ? '1' : String(value)]))
}

/** The options in an environment. Throws a UsageError that names the variable with a wrong name or value. */
export function fromVariables(env: Readonly<Record<string, string | undefined>>): WatchOptions {
  const names = Object.keys(WATCH_OPTIONS)
  const known = new Map(names.map((name) => [variableOf(name), name]))
  const given: Given = new Map()
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || OTHERS.has(variable) || text === undefined || text === '') continue
    const name = known.get(variable)
    const option = name === undefined ? undefined : WATCH_OPTIONS[name]
    if (name === undefined || option === undefined) throw new UsageError(`there is no variable ${variable}: they are ${[...known.keys()].join(', ')}`)
    if (option.kind !== 'flag') given.set(name, readValue(variable, text, option))
    else if (text === '1') given.set(name, true)
    else if (text !== '0') throw new UsageError(`${variable} is 1 or 0, not "${text}"`)
  }
  return {
    port: given.get('port') as number | undefined,
    host: given.get('host') as string | undefined,
    open: given.has('open'),
    onPort: (given.get('on-port') as string | undefined) ?? null,
    output: (given.get('output') as string | undefined) ?? null,
    threshold: given.get('threshold') as number | undefined,
  }
}

/** What is left for a process that another watched one has started: one browser is opened, one command is run, each process has a file of its own. */
export function ofDescendant(options: WatchOptions, pid: number): WatchOptions {
  const output = options.output === null ? null : options.output.replace(/(\.[^./\\]*)?$/, (ending) => `.${pid}${ending}`)
  return { ...options, open: false, onPort: null, output }
}

export const newGroup = (): string => randomBytes(16).toString('hex')

/** The group of this process, to which those will belong that it starts. */
export function groupOf(env: Record<string, string | undefined>): string {
  const group = env[GROUP]
  if (group !== undefined && /^[0-9a-f]{32}$/.test(group)) return group
  return (env[GROUP] = newGroup())
}

/** Whether another watched process has started this one. Marks those that this one will start. */
export function isDescendant(env: Record<string, string | undefined>, pid: number): boolean {
  const parent = env[PARENT]
  env[PARENT] ??= String(pid)
  return parent !== undefined && parent !== String(pid)
}
