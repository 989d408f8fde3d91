// The thread that TypeScript runs in: its work would block the page.
import declarations from 'virtual:playground/files'
import { helpers } from '../examples.ts'
import { Service } from './service.ts'

export interface Question {
  id: number
  /** The program, if it has changed. */
  text?: string
  ask: 'diagnostics' | 'compile' | 'stepped' | 'completions' | 'hover'
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
    answer = { id, value: valueOf(ask, position) }
  } catch (error) {
    answer = { id, error: String(error) }
  }
  postMessage(answer)
})

function valueOf(ask: Question['ask'], position: number): unknown {
  switch (ask) {
    case 'diagnostics': return service.diagnostics()
    case 'compile': return service.compile()
    case 'stepped': return service.compile(true)
    case 'completions': return service.completions(position)
    case 'hover': return service.hover(position)
  }
}
