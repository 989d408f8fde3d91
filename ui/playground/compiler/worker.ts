// The thread that TypeScript runs in: its work would block the page.
import declarations from 'virtual:playground/files'
import { helpers } from '../examples.ts'
import { Service } from './service.ts'

export interface Question {
  id: number
  /** The program, if it has changed. */
  text?: string
  ask: 'diagnostics' | 'compile' | 'completions' | 'hover'
  position: number
}

export interface Answer {
  id: number
  value?: unknown
  error?: string
}

const service = new Service(new Map(Object.entries({ ...declarations, ...helpers })))

addEventListener('message', ({ data }: MessageEvent<Question>) => {
  const { id, text, ask, position } = data
  let answer: Answer
  try {
    if (text !== undefined) service.update(text)
    answer = { id, value: ask === 'completions' ? service.completions(position) : ask === 'hover' ? service.hover(position) : service[ask]() }
  } catch (error) {
    answer = { id, error: String(error) }
  }
  postMessage(answer)
})
