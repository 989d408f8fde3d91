// Runs the load tester as users do, and small servers for it to measure, each in a separate process.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export interface Ended {
  out: string
  err: string
  code: number | null
}

/** `loopscope load …args`; `onStart` gets the process. */
export async function load(args: readonly string[], onStart: (program: ChildProcess) => void = () => {}): Promise<Ended> {
  // Through env, because tap adds a module to every process that it sees started, and that module listens for SIGINT.
  const program = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '--enable-source-maps', 'dist/src/bin.js', 'load', ...args], { cwd: ROOT })
  const ended: Ended = { out: '', err: '', code: null }
  program.stdout.on('data', (chunk) => { ended.out += String(chunk) })
  program.stderr.on('data', (chunk) => { ended.err += String(chunk) })
  onStart(program)
  const [code] = await once(program, 'close') as [number | null]
  return { ...ended, code }
}

export interface Server {
  url: string
  /** Its recorded stalls: spans in which its loop did not run, in ms since 1970. */
  stalls(): Promise<{ from: number; to: number }[]>
  kill(): void
}

/** Starts test/load/server.ts: it answers everything after 2 ms, and with `--stall` blocks for 1 s in every 5. */
export async function serve(t: { teardown(fn: () => unknown): void }, ...flags: string[]): Promise<Server> {
  const program = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '--import', './tools/ts.mjs', 'test/load/server.ts', ...flags], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  t.teardown(() => program.kill('SIGKILL'))
  const [port] = await once(program, 'message') as [number]
  return {
    url: `http://127.0.0.1:${port}`,
    stalls: async () => {
      program.send('stalls')
      const [stalls] = await once(program, 'message') as [{ from: number; to: number }[]]
      return stalls
    },
    kill: () => program.kill('SIGKILL'),
  }
}
