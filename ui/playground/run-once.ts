// Runs a program in virtual time, in the playground's sandbox, without showing it.
import type { Language } from '../language.ts'
import type { Recording } from '../recording.ts'
import { Compiler } from './compiler.ts'
import { ProgramRun, type Program } from './program-run.ts'
import { python } from './python-thread.ts'
import { Threads } from './threads.ts'

/** Seconds of virtual time that a program may take, unless its caller gives it more or less. */
const UNTIL = 60
/** Seconds for which it may block its thread. */
const PATIENCE = 3

export interface WholeOptions {
  /** Ends it early. */
  signal?: AbortSignal
  /** The second at which it is cancelled. */
  until?: number
}

/** Runs a program to its end, however it ends. Throws an Error if it cannot start. */
export async function runWhole(language: Language, code: string, { signal, until = UNTIL }: WholeOptions = {}): Promise<ProgramRun> {
  const compiler = new Compiler()
  const own = language === 'typescript' ? new Threads(document.body) : null
  const leave = python.use()
  try {
    const program = await programOf(compiler, language, code)
    signal?.throwIfAborted()
    return await new Promise((resolve, reject) => {
      const run = new ProgramRun(own ?? python.threads, {
        program, clock: 'virtual', until, patience: PATIENCE,
        onChange: () => {
          if (run.ending !== null) resolve(run)
        },
      })
      signal?.addEventListener('abort', () => run.end('It is no longer wanted.'))
      run.start().catch(reject)
    })
  } finally {
    compiler.close()
    own?.remove()
    leave()
  }
}

/** Runs `code` and returns what it did. Throws an Error if it fails. */
export async function runOnce(language: Language, code: string): Promise<Recording> {
  const { recording, ending } = await runWhole(language, code)
  if (ending?.outcome !== 'returned') throw new Error(ending?.failure?.text ?? ending?.note ?? 'the program did not end')
  return recording
}

async function programOf(compiler: Compiler, language: Language, code: string): Promise<Program> {
  if (language === 'python') return { language, code }
  const { modules } = await compiler.compile(code)
  if (modules.length === 0) throw new Error('the program is no TypeScript')
  return { language, modules }
}
