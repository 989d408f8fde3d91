// Runs a program in virtual time, in the playground's sandbox, without showing it.
import { Compiler } from './compiler.ts'
import { ProgramRun } from './program-run.ts'
import { Threads } from './threads.ts'

/** Seconds of virtual time that a program may take. */
const UNTIL = 60
/** Seconds for which it may block its thread. */
const PATIENCE = 3

/** Runs `code` and returns the lines that it printed, with their times in seconds. Throws an Error if it fails. */
export async function runOnce(code: string): Promise<{ text: string; t: number }[]> {
  const compiler = new Compiler()
  const threads = new Threads(document.body)
  try {
    const { modules } = await compiler.compile(code)
    if (modules.length === 0) throw new Error('the program is no TypeScript')
    return await new Promise((resolve, reject) => {
      const run = new ProgramRun(threads, {
        program: { language: 'typescript', modules }, clock: 'virtual', until: UNTIL, patience: PATIENCE,
        onChange: () => {
          if (run.ending === null) return
          if (run.ending.outcome === 'returned') resolve(run.recording.lines.map(({ text, t }) => ({ text, t })))
          else reject(new Error(run.ending.failure?.text ?? run.ending.note ?? 'the program did not end'))
        },
      })
      run.start().catch(reject)
    })
  } finally {
    compiler.close()
    threads.remove()
  }
}
