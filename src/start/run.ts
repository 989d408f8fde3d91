// `loopscope run app.js`: runs a program, and watches it and all Node processes that it starts. What it does, it does to the
// environment of a child process; standard streams, signals and the exit code are the child's.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { extname, join, resolve } from 'node:path'
import { isatty } from 'node:tty'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { helpOf, optionTypes, UsageError, type Options } from '../command/arguments.ts'
import { runCommand } from '../command/command.ts'
import { EXIT } from '../command/exit.ts'
import { ownFile } from '../launch.ts'
import { fromVariables, GROUP, newGroup, PARENT, toVariables, WATCH_OPTIONS } from './options.ts'

const OPTIONS: Options = { ...WATCH_OPTIONS, help: { kind: 'flag', help: 'this text' } }

const HELP = `loopscope run [options] FILE [arguments of the program]
loopscope run [options] -- COMMAND [its arguments]

Runs a program, in JavaScript or TypeScript, and watches it, with every Node process that it starts. Its view is at the
address on standard error. Each option is a variable of the environment as well: --on-port is LOOPSCOPE_ON_PORT.

${helpOf(OPTIONS)}

  loopscope run app.js
  loopscope run --port 9000 src/server.ts --verbose
  loopscope run -- node --inspect app.js
  loopscope run -- npm start`

/** Signals that are passed on. A program may handle each of them; SIGUSR1 starts Node's debugger. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const
/** A terminal sends these to the program, too. */
const OF_TERMINAL: ReadonlySet<string> = new Set(['SIGINT', 'SIGQUIT'])

/** Runs the command line; returns the exit code of the program. */
export async function main(args: readonly string[]): Promise<number> {
  const { own, program, isCommand } = divide(args)
  return runCommand({ name: 'loopscope run', help: HELP, options: OPTIONS }, own, async ({ all }) => {
    // In a process that is watched itself, this program still gets all that its options say.
    const { [PARENT]: _, ...env }: NodeJS.ProcessEnv = { ...process.env, ...toVariables(all), [GROUP]: newGroup() }
    fromVariables(env)
    const [first, ...rest] = program
    if (first === undefined) throw new UsageError('which program? Name a file, or a command after --')
    const command = isCommand ? [first, ...rest] : [process.execPath, ...nodeArguments(first), ...rest]
    return runAs(command, { ...env, NODE_OPTIONS: [`--import=${ownFile('./register', import.meta.url).href}`, process.env['NODE_OPTIONS'] ?? ''].join(' ').trim() })
  })
}

/** Splits the command line before the program: all that follows its file is for the program. */
function divide(args: readonly string[]): { own: readonly string[]; program: readonly string[]; isCommand: boolean } {
  const { tokens } = parseArgs({ args: [...args], options: optionTypes(OPTIONS), strict: false, allowPositionals: true, tokens: true })
  const first = tokens.find(({ kind }) => kind !== 'option')
  if (first === undefined) return { own: args, program: [], isCommand: false }
  const isCommand = first.kind === 'option-terminator'
  return { own: args.slice(0, first.index), program: args.slice(first.index + (isCommand ? 1 : 0)), isCommand }
}

/** Node's arguments for this file: the file, and before it what its language needs. */
function nodeArguments(file: string): string[] {
  const require = createRequire(join(process.cwd(), 'program.js'))
  let path: string
  try {
    path = require.resolve(resolve(file))
  } catch {
    throw new UsageError(`there is no file ${file}. To run a command: loopscope run -- ${file}`)
  }
  return [...(/^\.[cm]?tsx?$/.test(extname(path)) ? typescriptLoader(path, file) : []), file]
}

/** How this Node loads a TypeScript file: with tsx, if the program has it, or by itself. */
function typescriptLoader(path: string, file: string): string[] {
  try {
    return [`--import=${pathToFileURL(createRequire(path).resolve('tsx')).href}`]
  } catch {
    if ((process.features as { typescript?: string | false }).typescript) return []
    throw new UsageError(`this Node (${process.version}) does not load ${file}: install tsx beside it (npm install --save-dev tsx), or use Node 22.18 or newer`)
  }
}

/** Runs the command in place of this process, as far as one process can: returns its exit code, or ends by the signal that ended it. */
function runAs([command = '', ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((done) => {
    const child = spawn(command, args, { stdio: 'inherit', env })
    // Ctrl-C at a terminal reaches both processes. The program must not get it twice.
    const atTerminal = [0, 1, 2].some((stream) => isatty(stream))
    const passOn = (signal: NodeJS.Signals): void => {
      if (!(atTerminal && OF_TERMINAL.has(signal))) child.kill(signal)
    }
    for (const signal of SIGNALS) process.on(signal, passOn)
    const over = (code: number): void => {
      for (const signal of SIGNALS) process.off(signal, passOn)
      done(code)
    }
    child.on('error', ({ message }) => {
      console.error(`loopscope run: ${command} cannot be started: ${message}`)
      over(EXIT.failed)
    })
    child.on('exit', (code, signal) => {
      over(code ?? 128 + constants.signals[signal as NodeJS.Signals])
      if (signal !== null) process.kill(process.pid, signal)
    })
  })
}
