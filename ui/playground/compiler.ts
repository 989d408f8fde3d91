// The page's end of the TypeScript thread, which starts with the first request.
import type { Answer, Question } from './compiler/worker.ts'
import type { Compiled, Completion, Diagnostic, Hover } from './compiler/service.ts'

export type { Compiled, Completion, Diagnostic, Hover } from './compiler/service.ts'

/** Milliseconds that TypeScript may take for an answer: the check of some types never ends. */
const PATIENCE = 60_000

export class Compiler {
  #worker: Worker | null = null
  #ids = 0
  #text: string | null = null
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void; late: ReturnType<typeof setTimeout> }>()

  diagnostics(text: string): Promise<Diagnostic[]> {
    return this.#ask(text, 'diagnostics') as Promise<Diagnostic[]>
  }

  /** `stepped`: so that it can be stepped by line. */
  compile(text: string, stepped = false): Promise<Compiled> {
    return this.#ask(text, stepped ? 'stepped' : 'compile') as Promise<Compiled>
  }

  completions(text: string, position: number): Promise<Completion[]> {
    return this.#ask(text, 'completions', position) as Promise<Completion[]>
  }

  hover(text: string, position: number): Promise<Hover | null> {
    return this.#ask(text, 'hover', position) as Promise<Hover | null>
  }

  /** Ends the thread; each request without an answer fails. */
  close(): void {
    this.#end('the compiler was closed')
  }

  #end(why: string): void {
    this.#worker?.terminate()
    this.#worker = null
    this.#fail(new Error(why))
  }

  #ask(text: string, ask: Question['ask'], position = 0): Promise<unknown> {
    this.#worker ??= this.#start()
    const worker = this.#worker
    return new Promise((resolve, reject) => {
      const id = ++this.#ids
      const late = setTimeout(() => this.#end(`TypeScript did not finish with this program within ${PATIENCE / 1000} s.`), PATIENCE)
      this.#waiting.set(id, { resolve, reject, late })
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
      clearTimeout(waiting?.late)
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
    for (const { reject, late } of this.#waiting.values()) {
      clearTimeout(late)
      reject(error)
    }
    this.#waiting.clear()
  }
}
