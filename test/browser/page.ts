// The page of the browser test: `ask(where, program)` runs a program on the page's own thread or in its Web Worker.
import { serve, type Answer, type Port } from './programs.ts'

// Vite finds a worker by this very expression; the types of a page are not those of the project.
declare const Worker: new (url: URL, options: { type: 'module' }) => Port

function client(port: Port): (program: string) => Promise<unknown> {
  const waiting = new Map<number, (answer: Answer) => void>()
  let last = 0
  port.onmessage = ({ data }) => {
    const answer = data as Answer
    waiting.get(answer.id)?.(answer)
    waiting.delete(answer.id)
  }
  return (program) => new Promise((resolve, reject) => {
    const id = ++last
    waiting.set(id, (answer) => {
      if (answer.error === undefined) resolve(answer.value)
      else reject(new Error(answer.error))
    })
    port.postMessage({ id, program })
  })
}

const own = new MessageChannel()
serve(own.port1 as unknown as Port)

const clients = {
  page: client(own.port2 as unknown as Port),
  worker: client(new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })),
}

Object.assign(globalThis, { ask: (where: keyof typeof clients, program: string) => clients[where](program) })
