// An example as a recording of a run in virtual time, in either language.
import type { Language } from '../language.ts'
import { endingProgram } from '../playground/examples.ts'
import type { Recording } from '../recording.ts'
import { recordingOf, type Session } from '../session.ts'

/**
 * Runs an example that ends by itself; each producer of the fifth makes `items`. TypeScript runs on the server unless it is to
 * run `here`, in the page, as Python always does.
 */
export async function runExample(session: Session, number: number, language: Language, items: number, here = false): Promise<Recording> {
  if (language === 'typescript' && !here) return recordingOf(await session.api.runVirtual(number, number === 5 ? { items: String(items), seed: '7' } : {}))
  const { runOnce } = await import('../playground/run-once.ts')
  return runOnce(language, endingProgram(number, language, items))
}
