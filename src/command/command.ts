// What all commands have in common: their help, and one line on standard error for a command line that is not valid.
import { readArguments, UsageError, type CommandLine, type Options } from './arguments.ts'
import { EXIT } from './exit.ts'

export interface CommandTexts {
  /** As in its error messages. */
  name: string
  help: string
  options: Options
}

/** Reads the command line and runs the command, or prints its help; returns the exit code. */
export function runCommand({ name, help, options }: CommandTexts, args: readonly string[], run: (line: CommandLine) => Promise<number>): Promise<number> {
  return reportUsage(name, async () => {
    const line = readArguments(args, options)
    if (!line.all.has('help')) return run(line)
    console.log(help)
    return EXIT.fine
  })
}

/** Runs a command; returns the exit code. A UsageError is reported. */
export async function reportUsage(name: string, run: () => Promise<number>): Promise<number> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${name}: ${error.message}\n--help lists what it can do.`)
    return EXIT.usage
  }
}
