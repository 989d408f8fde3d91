// The threads that programs run in, one at a time, in a sealed document. CPython takes seconds to start, so one is started ahead
// of its program, on request.
import type { FromGate, Item, PythonFiles, ToThread } from './messages.ts'
import { fetchPython } from './python-files.ts'
import { Sandbox, type Line } from './sandbox.ts'

type Start = ToThread & { type: 'start' }
type Receive = (message: FromGate) => void

/** A thread with CPython, which waits for its program. */
interface Warm {
  line: Line
  /** Set once a program has it: what gets its messages. */
  receive: Receive | null
}

export class Threads {
  readonly #sandbox: Sandbox
  #files: Promise<PythonFiles> | null = null
  #warm: Promise<Warm> | null = null

  /** Puts the hidden document into `parent`. */
  constructor(parent: Element) {
    this.#sandbox = new Sandbox(parent)
  }

  /** Starts a program, and ends the previous one. Throws an Error with the reason if that fails. */
  async open(start: Start, receive: Receive): Promise<Line> {
    if (start.program.language === 'python') {
      const taken = this.prepare()
      this.#warm = null
      const warm = await taken
      warm.receive = receive
      warm.line.send(start)
      return warm.line
    }
    const { default: thread } = await import('virtual:playground/thread')
    this.#warm = null
    return this.#sandbox.start(thread, start, receive)
  }

  /** Starts CPython for the next program, if that has not been done; ends the running one. `progress` gets the share of the files that have come. */
  prepare(progress?: (share: number) => void): Promise<Warm> {
    if (this.#warm !== null) return this.#warm
    const warm = this.#start(progress)
    this.#warm = warm
    warm.catch(() => {
      if (this.#warm === warm) this.#warm = null
    })
    return warm
  }

  remove(): void {
    this.#sandbox.remove()
  }

  async #start(progress?: (share: number) => void): Promise<Warm> {
    this.#files ??= fetchPython(progress)
    this.#files.catch(() => this.#files = null)
    const [kept, { default: thread }] = await Promise.all([this.#files, import('virtual:playground/python')])
    // The document gets copies; the next thread needs the bytes too.
    const files = Object.fromEntries(Object.entries(kept).map(([name, bytes]) => [name, bytes.slice(0)])) as PythonFiles
    return new Promise((resolve, reject) => {
      const hear = ({ items, over }: FromGate): void => {
        const failed = items.find((item): item is Item & { type: 'ended' } => item.type === 'ended')
        if (over !== undefined || failed !== undefined) reject(new Error(over ?? failed?.failure?.text ?? 'CPython did not start'))
        else if (items.some(({ type }) => type === 'ready')) {
          void started.then((line) => {
            line.send({ type: 'more' })
            resolve(warm = { line, receive: null })
          })
        }
      }
      let warm: Warm | null = null
      const started = this.#sandbox.start(thread, { type: 'open', files }, (message) => (warm?.receive ?? hear)(message), Object.values(files))
      started.catch(reject)
    })
  }
}
