// The page's end of the TypeScript thread, which starts with the first question.
import type { Answer, Question } from './compiler/worker.ts'
import type { Compiled, Completion, Diagnostic, Hover } from './compiler/service.ts'

export type { Compiled, Completion, Diagnostic, Hover } from './compiler/service.ts'

export class Compiler {
  #worker: Worker | null = null
  #ids = 0
  #text: string | null = null
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()

  diagnostics(text: string): Promise<Diagnostic[]> {
    return this.#ask(text, 'diagnostics') as Promise<Diagnostic[]>
  }

  compile(text: string): Promise<Compiled> {
    return this.#ask(text, 'compile') as Promise<Compiled>
  }

  completions(text: string, position: number): Promise<Completion[]> {
    return this.#ask(text, 'completions', position) as Promise<Completion[]>
  }

  hover(text: string, position: number): Promise<Hover | null> {
    return this.#ask(text, 'hover', position) as Promise<Hover | null>
  }

  /** End the thread; whoever still waits for an answer gets an Error. */
  close(): void {
    this.#worker?.terminate()
    this.#worker = null
    this.#fail(new Error('the compiler was closed'))
  }

  #ask(text: string, ask: Question['ask'], position = 0): Promise<unknown> {
    this.#worker ??= this.#start()
    const worker = this.#worker
    return new Promise((resolve, reject) => {
      const id = ++this.#ids
      this.#waiting.set(id, { resolve, reject })
      worker.postMessage({ id, ask, position, ...(text === this.#text ? {} : { text }) } satisfies Question)
      this.#text = text
    })
  }

  #start(): Worker {
    const worker = new Worker(new URL('./compiler/worker.ts', import.meta.url), { type: 'module', name: 'typescript' })
    this.#text = null
    worker.onmessage = ({ data }: MessageEvent<Answer>) => {
      const waiting = this.#waiting.get(data.id)
      this.#waiting.delete(data.id)
      if (data.error === undefined) waiting?.resolve(data.value)
      else waiting?.reject(new Error(data.error))
    }
    worker.onerror = (event) => {
      this.#worker = null
      this.#fail(new Error(`TypeScript did not start: ${event.message}`))
    }
    return worker
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}
