// createSubprocessExec and createSubprocessShell: Node's child processes with asyncio's interface. Follows CPython's
// Lib/asyncio/subprocess.py and base_subprocess.py.
import { spawn, type ChildProcess, type SpawnOptions, type StdioOptions } from 'node:child_process'
import { accessSync, constants as access, statSync } from 'node:fs'
import type { Socket } from 'node:net'
import { constants } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { getRunningLoop, type AbstractEventLoop } from '../runtime/abstract-loop.ts'
import type { Coroutine } from '../runtime/coroutine.ts'
import { requireInteger, requireKnown, type Names } from '../runtime/checks.ts'
import { Deque } from '../runtime/deque.ts'
import { describable, describe } from '../runtime/describe.ts'
import { BrokenPipeError, ConnectionResetError, ProcessLookupError } from '../runtime/stream-errors.ts'
import { gather } from '../runtime/gather.ts'
import { HostFuture } from '../runtime/host-future.ts'
import { DEFAULT_LIMIT, StreamReader } from '../runtime/stream-reader.ts'
import { DEVNULL, PIPE, STDOUT } from '../runtime/stdio.ts'
import { StreamWriter } from '../runtime/stream-writer.ts'
import { trackUnawaited } from '../runtime/unawaited.ts'
import { requireText } from './connection.ts'
import { established } from './established.ts'
import { SocketTransport } from './socket-transport.ts'

/** PIPE, DEVNULL, the number of an open file, or `null` for that of this process. */
export type Stdio = number | null

export interface SubprocessOptions {
  stdin?: Stdio
  stdout?: Stdio
  /** Also STDOUT. */
  stderr?: Stdio
  /** The longest line of its readers, in bytes; at most twice as much is buffered before a pipe is paused. Default 65,536. */
  limit?: number
  /** The working directory. Default: that of this process. */
  cwd?: string
  /** The whole environment. Default: that of this process. */
  env?: Record<string, string | undefined>
  /** Whether it leads a session of its own, which Ctrl-C does not reach. Default false. */
  startNewSession?: boolean
}

const OPTIONS: Names<Required<SubprocessOptions>> = { stdin: true, stdout: true, stderr: true, limit: true, cwd: true, env: true, startNewSession: true }

const WINDOWS = process.platform === 'win32'

/** A process that `createSubprocessExec` or `createSubprocessShell` started. */
export class Process {
  readonly pid: number
  /** With `stdin: PIPE`, else `null`. */
  readonly stdin: StreamWriter | null
  /** With `stdout: PIPE`, else `null`. */
  readonly stdout: StreamReader | null
  /** With `stderr: PIPE`, else `null`. */
  readonly stderr: StreamReader | null
  readonly #child: ChildProcess
  readonly #waiters = new Deque<HostFuture<number>>()
  #returncode: number | null = null
  #finished = false

  /** @internal */
  constructor(loop: AbstractEventLoop, child: ChildProcess, limit: number, merged: boolean) {
    this.pid = child.pid as number
    this.#child = child
    const read = (stream: unknown, name: string, reader = new StreamReader(limit, { loop })): StreamReader => {
      void new SocketTransport(loop, stream as Socket, { reader, peer: `${name} of process ${this.pid}` })
      return reader
    }
    this.stdin = child.stdin === null
      ? null
      : new StreamWriter(new SocketTransport(loop, child.stdin as Socket, { reader: null, peer: `process ${this.pid}` }), null)
    this.stdout = child.stdout === null ? null : read(child.stdout, 'stdout')
    this.stderr = child.stderr === null || merged ? null : read(child.stderr, 'stderr')
    const forget = loop.onClose(() => child.kill('SIGKILL'))
    child.once('exit', (code, signal) => {
      forget()
      this.#returncode = code ?? -constants.signals[signal as NodeJS.Signals]
    })
    child.once('close', () => {
      this.#finished = true
      for (const waiter of this.#waiters) waiter.succeed(this.#returncode as number)
    })
  }

  /** The exit code, `-N` if signal N ended the process, `null` while it runs. */
  get returncode(): number | null {
    return this.#returncode
  }

  /**
   * Wait until the process has ended and its pipes are read; returns the `returncode`. A process whose pipe is full waits until
   * it is read: use `communicate`. Cancelling does not affect the process.
   */
  wait(): Coroutine<number> {
    return trackUnawaited(this.#wait(), 'Process.wait')
  }

  *#wait(): Coroutine<number> {
    if (this.#finished) return this.#returncode as number
    const waiter = new HostFuture<number>(`process ${this.pid} to end`)
    this.#waiters.push(waiter)
    try {
      return yield* waiter
    } finally {
      waiter.close()
      this.#waiters.remove(waiter)
    }
  }

  /**
   * Write `input` to stdin and close it, read stdout and stderr to their ends, and wait for the process. Returns what was read, `null`
   * for what is no pipe.
   */
  communicate(input: Uint8Array | null = null): Coroutine<[stdout: Uint8Array | null, stderr: Uint8Array | null]> {
    return trackUnawaited(this.#communicate(input), 'Process.communicate')
  }

  *#communicate(input: Uint8Array | null): Coroutine<[Uint8Array | null, Uint8Array | null]> {
    if (input !== null && this.stdin === null) throw new TypeError(`${this}: input needs stdin: PIPE`)
    const [stdout, stderr] = yield* gather([readAll(this.stdout), readAll(this.stderr), this.#feed(input)])
    yield* this.wait()
    return [stdout, stderr]
  }

  *#feed(input: Uint8Array | null): Coroutine<void> {
    const { stdin } = this
    if (stdin === null) return
    try {
      if (input !== null) stdin.write(input)
      yield* stdin.drain()
    } catch (error) {
      // It need not read all of its input.
      if (!(error instanceof BrokenPipeError || error instanceof ConnectionResetError)) throw error
    }
    stdin.close()
  }

  /** Send a signal, such as `SIGHUP`. Throws a ProcessLookupError once the process has ended. */
  sendSignal(signal: string): void {
    if (!Object.hasOwn(constants.signals, signal)) throw new RangeError(`${this}.sendSignal: a signal is needed, such as 'SIGTERM', got ${describe(signal)}`)
    if (this.#returncode !== null) throw new ProcessLookupError(`${this} has ended: it cannot be sent ${signal}`)
    this.#child.kill(signal as NodeJS.Signals)
  }

  /** Send SIGTERM. */
  terminate(): void {
    this.sendSignal('SIGTERM')
  }

  /** Send SIGKILL. */
  kill(): void {
    this.sendSignal('SIGKILL')
  }

  toString(): string {
    return `<Process ${this.pid}${this.#returncode === null ? '' : ` returncode=${this.#returncode}`}>`
  }
}

function* readAll(reader: StreamReader | null): Coroutine<Uint8Array | null> {
  return reader === null ? null : yield* reader.read()
}

/**
 * Start a program, without a shell: `createSubprocessExec('ls', '-l', { stdout: PIPE })`. Throws Node's error if it cannot be started,
 * with `code` `ENOENT` if there is no such program. Cancelling kills it.
 */
export function createSubprocessExec(program: string, ...args: [...string[], SubprocessOptions] | string[]): Coroutine<Process> {
  const last = args.at(-1)
  const options = typeof last === 'object' ? last : {}
  return trackUnawaited(start('createSubprocessExec', [program, ...(typeof last === 'object' ? args.slice(0, -1) : args)] as string[], options), 'createSubprocessExec')
}

/** Start a command of the shell, `/bin/sh`. Text of a user must be quoted. Otherwise the same as `createSubprocessExec`. */
export function createSubprocessShell(command: string, options: SubprocessOptions = {}): Coroutine<Process> {
  return trackUnawaited(startShell(command, options), 'createSubprocessShell')
}

function* startShell(command: string, options: SubprocessOptions): Coroutine<Process> {
  requireText(command, 'createSubprocessShell: command')
  return yield* start('createSubprocessShell', WINDOWS ? [process.env['ComSpec'] ?? 'cmd.exe', '/d', '/s', '/c', `"${command}"`] : ['/bin/sh', '-c', command], options)
}

function* start(caller: string, command: readonly string[], options: SubprocessOptions): Coroutine<Process> {
  for (const part of command) requireText(part, `${caller}: the program and each argument`)
  requireKnown(caller, options, OPTIONS)
  const { limit = DEFAULT_LIMIT, cwd, env, startNewSession = false } = options
  requireInteger(limit, `${caller}: limit`, 1)
  const loop = getRunningLoop()
  const { stdio, merged } = stdioOf(caller, options)
  const [program, ...args] = (merged ? withMergedOutput(command, options) : command) as [string, ...string[]]
  const given: SpawnOptions = {
    stdio, detached: startNewSession, windowsVerbatimArguments: caller === 'createSubprocessShell',
    ...(cwd === undefined ? {} : { cwd }), ...(env === undefined ? {} : { env }),
  }
  return yield* established<Process>(`${program} to start`, ({ succeed, reject }) => {
    const child = spawn(program, args, given)
    child.on('error', reject)
    child.once('spawn', () => succeed(new Process(loop, child, limit, merged)))
    return () => child.kill('SIGKILL')
  })
}

/** `merged`: both outputs go to one pipe. */
function stdioOf(caller: string, { stdin = null, stdout = null, stderr = null }: SubprocessOptions): { stdio: StdioOptions; merged: boolean } {
  const one = (value: Stdio, name: string, fd: number): 'pipe' | 'ignore' | number => {
    if (value === null) return fd
    if (value === PIPE) return 'pipe'
    if (value === DEVNULL) return 'ignore'
    if (Number.isInteger(value) && value >= 0) return value
    throw new TypeError(`${caller}: ${name} must be PIPE, DEVNULL, ${name === 'stderr' ? 'STDOUT, ' : ''}the number of an open file, or null, got ${describe(value)}`)
  }
  const input = one(stdin, 'stdin', 0)
  const output = one(stdout, 'stdout', 1)
  const merged = stderr === STDOUT && output === 'pipe'
  return { stdio: [input, output, merged ? 'ignore' : stderr === STDOUT ? output : one(stderr, 'stderr', 2)], merged }
}

/** Node cannot give a process one pipe twice: a shell does, and then becomes the program. */
function withMergedOutput([program, ...args]: readonly string[], options: SubprocessOptions): string[] {
  if (WINDOWS) throw new TypeError('stderr: STDOUT with stdout: PIPE is not possible on Windows: give stderr a pipe of its own')
  return ['/bin/sh', '-c', 'exec "$0" "$@" 2>&1', findProgram(program as string, options), ...args]
}

/** The path of a program, found as the system would. Throws the error that starting it would. */
function findProgram(program: string, { cwd = '.', env = process.env }: SubprocessOptions): string {
  const candidates = program.includes('/') ? [resolve(cwd, program)] : (env['PATH'] ?? '/usr/bin:/bin').split(delimiter).map((folder) => resolve(cwd, join(folder, program)))
  const found = candidates.find((path) => {
    try {
      accessSync(path, access.X_OK)
      return statSync(path).isFile()
    } catch {
      return false
    }
  })
  if (found !== undefined) return found
  throw Object.assign(new Error(`spawn ${program} ENOENT`), { code: 'ENOENT', syscall: `spawn ${program}`, path: program })
}

describable(Process)
