// Programs that are watched from their start, as users start them.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { streamEvent, type StreamEvent } from '../../src/events/schema.ts'
import { eventually } from '../support/eventually.ts'
import { ROOT } from '../support/server-process.ts'

interface Test {
  teardown(fn: () => unknown): void
}

export interface Ended {
  out: string
  err: string
  code: number | null
  signal: NodeJS.Signals | null
}

export interface Started {
  child: ChildProcess
  /** What it has written. */
  out: () => string
  err: () => string
  ended: Promise<Ended>
}

export interface Options {
  env?: Record<string, string> | undefined
  cwd?: string | undefined
  node?: string | undefined
}

const PROGRAMS = join(import.meta.dirname, 'programs')
export const BIN = join(ROOT, 'dist/src/bin.js')
export const REGISTER = join(ROOT, 'dist/src/start/register.js')
export const program = (name: string): string => join(PROGRAMS, name)

/** Starts Node with these arguments, until the test ends, in an environment that contains nothing of this process but the PATH. */
export function startNode(t: Test, args: readonly string[], { env = {}, cwd, node = process.execPath }: Options = {}): Started {
  // Through env, because tap adds a module to every process that it sees started, and that module listens for signals.
  const child = spawn('env', ['-i', ...Object.entries({ PATH: process.env['PATH'] ?? '', HOME: tmpdir(), ...env }).map(([name, value]) => `${name}=${value}`), node, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => { out += chunk.toString() })
  child.stderr.on('data', (chunk: Buffer) => { err += chunk.toString() })
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ out, err, code, signal }))
  })
  return { child, out: () => out, err: () => err, ended }
}

/** `loopscope ARGS`. */
export function loopscope(t: Test, args: readonly string[], options?: Options): Started {
  return startNode(t, [BIN, ...args], options)
}

/** Waits until this is in the text, and returns the match. */
export async function found(text: () => string, pattern: RegExp): Promise<RegExpExecArray> {
  await eventually(() => pattern.test(text()))
  const match = pattern.exec(text())
  if (match === null) throw new Error(`${String(pattern)} is not in ${text()}`)
  return match
}

/** The address of the view, once it is on standard error. */
export async function viewOf({ err }: Started): Promise<string> {
  return (await found(err, /process \d+ is observed at (\S+?)(:? port|\n|$)/))[1]!.replace(/:$/, '')
}

/** The messages of a recording. Each whole line must be one. */
export function messagesOf(path: string): StreamEvent[] {
  const text = readFileSync(path, 'utf8')
  return text.slice(0, text.lastIndexOf('\n') + 1).split('\n').filter((line) => line !== '').map((line) => streamEvent.parse(JSON.parse(line)))
}

/** A folder outside of this project, until the test ends. */
export function strangeFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'loopscope-start-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
