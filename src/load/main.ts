// The load tester's commands: `load URL …`, `load lab`, `load classic`. It is a separate program, so that its loop is not the
// one it measures.
import { reportUsage } from '../command/command.ts'
import { EXIT } from '../command/exit.ts'
import { classicCommand, labCommand } from './lab-command.ts'
import { loadCommand } from './load-command.ts'
import { TargetError } from './plan.ts'

/** Runs a command line; returns the exit code. Errors are one line on stderr. */
export async function main(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args
  try {
    return await reportUsage('load', async () => {
      if (first === 'lab') return labCommand(rest)
      if (first === 'classic') return classicCommand(rest)
      return loadCommand(args)
    })
  } catch (error) {
    if (error instanceof TargetError) {
      console.error(`load: ${error.message}`)
      return EXIT.target
    }
    throw error
  }
}
