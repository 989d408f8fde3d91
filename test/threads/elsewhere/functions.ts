// Functions in a module that is not in a workers/ folder, for `workerFunction`.
import { threadId } from 'node:worker_threads'
import { asyncToSync, ContextVar, sleep, syncToAsync, workerFunction, type Coroutine } from '../../../src/index.ts'

export const language = new ContextVar('language', { default: 'none' })

export const shout = workerFunction(import.meta, (text: string): { text: string; thread: number; language: string } =>
  ({ text: text.toUpperCase(), thread: threadId, language: language.get() }))

export default function unnamed(): number {
  return threadId
}

workerFunction(import.meta, unnamed)

/** Exported under another name than its own. */
function inside(): string {
  return 'renamed'
}

export { inside as outside }
workerFunction(import.meta, inside)

export const secret = [workerFunction(import.meta, function hidden() { return 1 })] as const

export function* wait(word: string): Coroutine<string> {
  yield* sleep(0.001)
  return `${word} on the main loop`
}

workerFunction(import.meta, wait)

export const throughLoop = workerFunction(import.meta, function throughLoop(word: string): string {
  return asyncToSync(wait)(word)
})

export const sensitiveThread = workerFunction(import.meta, () => threadId)

export function* askSensitive(): Coroutine<number> {
  return yield* syncToAsync(sensitiveThread, { thread: 'sensitive' })()
}

workerFunction(import.meta, askSensitive)

/** From the sensitive thread, through the main loop, to the sensitive thread. */
export const thereAndBack = workerFunction(import.meta, (): number[] => [threadId, asyncToSync(askSensitive)()])
