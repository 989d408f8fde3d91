// Runs a small program in a separate Node: for what ends processes, needs signals or fills memory.
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'

const root = new URL('../../', import.meta.url)

export interface Ended {
  /** What it printed, line by line. */
  lines: string[]
  errors: string
  code: number | null
  signal: NodeJS.Signals | null
}

/**
 * Runs `source`, a module in which everything that `src/index.ts` exports is available by name, and waits for its end.
 * `onLine` receives every printed line, for example to send a signal.
 */
export function runProgram(source: string, options: { flags?: string[]; onLine?: (line: string, program: ChildProcess) => void } = {}): Promise<Ended> {
  const names = `import * as loopscope from './src/index.ts'\nObject.assign(globalThis, loopscope)\n`
  const flags = ['--import', './tools/ts.mjs', ...options.flags ?? [], '--input-type=module', '-e', names + source]
  // Through env, because tap adds a module to every process that it sees started, and that module listens for SIGINT.
  const program = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, ...flags], { cwd: root })
  const lines: string[] = []
  let errors = ''
  program.stderr.on('data', (chunk) => { errors += String(chunk) })
  createInterface({ input: program.stdout }).on('line', (line) => {
    lines.push(line)
    options.onLine?.(line, program)
  })
  return new Promise((resolve, reject) => {
    program.on('error', reject)
    program.on('close', (code, signal) => resolve({ lines, errors, code, signal }))
  })
}
