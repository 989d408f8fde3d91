// The server as its users start it: the build, in a separate process. The build is up to date: tools/ts.mjs, through which
// every test starts, has checked that.
import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { eventually } from './eventually.ts'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Node's arguments for the server, as in `npm start`. */
export const SERVER: readonly string[] = ['--enable-source-maps', 'dist/src/server/main.js']
/** Node's arguments before a TypeScript file of the tree. */
export const WITH_TYPESCRIPT: readonly string[] = ['--import', './tools/ts.mjs']

interface Test {
  teardown(fn: () => unknown): void
}

export interface Program {
  child: ChildProcess
  /** All that it has written. */
  log: () => string
  /** Its exit code; `null` if a signal ended it. */
  ended: Promise<number | null>
}

export interface Server extends Program {
  /** The addresses of its app and its observer. */
  url: string
  observer: string
}

export interface LaunchOptions {
  /** This project, or a copy of it. */
  root?: string
  stdio?: StdioOptions
  /** The Node that runs it, by default this one. */
  node?: string
}

/** Runs Node with these arguments until the test ends. Its environment is `env` and the PATH. */
export function runNode(t: Test, args: readonly string[], env: Record<string, string> = {}, { root = ROOT, stdio = ['ignore', 'pipe', 'pipe'], node = process.execPath }: LaunchOptions = {}): Program {
  // Through env, because tap adds a module to every process that it sees started, and that module listens for signals.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', node, ...args], { cwd: root, env: { PATH: process.env['PATH'], ...env }, stdio })
  t.teardown(() => { child.kill('SIGKILL') })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => { log += chunk.toString() })
  return { child, log: () => log, ended: once(child, 'exit').then(([code]) => code as number | null) }
}

/** Starts the server, on free ports unless `env` says otherwise; it may fail to start. `before`: additional arguments for Node. */
export function launchServer(t: Test, env: Record<string, string> = {}, options: LaunchOptions & { before?: readonly string[] } = {}): Program {
  return runNode(t, [...options.before ?? [], ...SERVER], { PORT: '0', OBSERVER_PORT: '0', ...env }, options)
}

/** Starts the server, and waits until it and its observer listen. */
export async function startServer(t: Test, env: Record<string, string> = {}, options: LaunchOptions & { before?: readonly string[] } = {}): Promise<Server> {
  const program = launchServer(t, env, options)
  await eventually(() => program.log().includes('try:') || program.child.exitCode !== null)
  const [, url] = /loopscope listens on (\S+)/.exec(program.log()) ?? []
  const [, observer] = /loop is blocked, listens on (\S+)/.exec(program.log()) ?? []
  if (url === undefined || observer === undefined) throw new Error(`the server did not start: ${program.log()}`)
  return { ...program, url, observer }
}

/** The lines of a server's log. */
export function logOf(program: Program): { msg: string; requests?: number | string[] }[] {
  return program.log().split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as { msg: string })
}
