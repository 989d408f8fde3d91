// The threads that programs run in, one at a time, in a sealed document. CPython takes seconds to start, so one is started ahead
// of its program: on request, and again when a program has ended.
import type { FromGate, Item, Parsed, PythonFiles, ToThread } from './messages.ts'
import { fetchPython } from './python-files.ts'
import { Sandbox, type Line } from './sandbox.ts'

type Start = ToThread & { type: 'start' }
type Receive = (message: FromGate) => void

/** How far CPython is. */
export type Progress = { is: 'absent' | 'starting' | 'ready' } | { is: 'loading'; bytes: number; of: number } | { is: 'failed'; why: string }

/** A thread with CPython, which waits for its program. */
interface Warm {
  line: Line
  /** Set once a program has it: what gets its messages. */
  receive: Receive | null
}

export class Threads {
  readonly #sandbox: Sandbox
  readonly #look: (progress: Progress) => void
  #files: Promise<PythonFiles> | null = null
  /** The memory of the first CPython when it had started: the next ones begin with it. */
  #snapshot: Blob | null = null
  #warm: Promise<Warm> | null = null
  /** Resolves when no Python program runs. */
  #free: Promise<void> = Promise.resolve()
  #questions = 0
  /** The program that is being parsed. */
  #question: { id: number; answer: (parsed: Parsed | null) => void } | null = null
  #removed = false

  /** Puts the hidden document into `parent`. `look` gets the progress of CPython. */
  constructor(parent: Element, look: (progress: Progress) => void = () => {}) {
    this.#sandbox = new Sandbox(parent)
    this.#look = look
  }

  /** Starts a program: in TypeScript it ends the previous one, in Python it comes after it. Throws an Error with the reason if that fails. */
  async open(start: Start, receive: Receive): Promise<Line> {
    if (start.program.language === 'python') return this.#openPython(start, receive)
    const { default: thread } = await import('virtual:playground/thread')
    this.#forget()
    return this.#sandbox.start(thread, start, receive)
  }

  /** Starts CPython for the next program, if that has not been done; ends the running one. */
  prepare(): Promise<Warm> {
    if (this.#warm !== null) return this.#warm
    const warm = this.#start()
    this.#warm = warm
    warm.catch((error: unknown) => {
      if (this.#warm === warm) this.#forget()
      if (!this.#removed) this.#look({ is: 'failed', why: error instanceof Error ? error.message : String(error) })
    })
    return warm
  }

  /** Asks CPython for the syntax tree of a program, once none runs. Of several questions at a time, only the last is answered as such. */
  async parse(code: string): Promise<Parsed> {
    for (;;) {
      await this.#free
      const warm = await this.prepare()
      if (warm.receive !== null) continue
      this.#question?.answer(null)
      const id = ++this.#questions
      const answer = await new Promise<Parsed | null>((resolve) => {
        this.#question = { id, answer: resolve }
        warm.line.send({ type: 'parse', id, code })
      })
      if (answer !== null) return answer
      // A later question came before the answer, or the thread has ended.
      if (id !== this.#questions || this.#removed) throw new Error('the question is out of date')
    }
  }

  remove(): void {
    this.#removed = true
    this.#forget()
    this.#sandbox.remove()
  }

  async #openPython(start: Start, receive: Receive): Promise<Line> {
    // Several parts of the page may want to run one: they take turns.
    const before = this.#free
    let free = (): void => {}
    this.#free = new Promise((resolve) => { free = resolve })
    await before
    const taken = this.prepare()
    this.#warm = null
    taken.catch(free)
    const warm = await taken
    warm.receive = receive
    warm.line.send(start)
    return {
      ...warm.line,
      end: () => {
        warm.line.end()
        free()
        if (this.#warm !== null || this.#removed) return
        this.#forget()
        this.prepare().catch(() => {})
      },
    }
  }

  /** The waiting thread is there no longer. */
  #forget(): void {
    this.#warm = null
    this.#question?.answer(null)
    this.#question = null
  }

  async #start(): Promise<Warm> {
    this.#files ??= fetchPython((bytes, of) => this.#look({ is: 'loading', bytes, of }))
    this.#files.catch(() => this.#files = null)
    const [files, { default: thread }] = await Promise.all([this.#files, import('virtual:playground/python')])
    if (this.#removed) throw new Error('it is no longer wanted')
    this.#look({ is: 'starting' })
    return new Promise((resolve, reject) => {
      const hear = ({ items, over }: FromGate): void => {
        const failed = items.find((item): item is Item & { type: 'ended' } => item.type === 'ended')
        if (over !== undefined || failed !== undefined) reject(new Error(over ?? failed?.failure?.text ?? 'CPython did not start'))
        else if (items.some(({ type }) => type === 'ready')) {
          void started.then((line) => {
            line.send({ type: 'more' })
            this.#look({ is: 'ready' })
            resolve(warm = { line, receive: null })
          })
        }
      }
      let warm: Warm | null = null
      const started = this.#sandbox.start(thread, { type: 'open', files, snapshot: this.#snapshot }, (message) => {
        // Only from a thread that has had no program yet.
        if (message.snapshot !== undefined) {
          if (warm === null) this.#snapshot ??= message.snapshot
        } else if (message.parsed === undefined) (warm?.receive ?? hear)(message)
        else if (message.parsed.id === this.#question?.id) {
          this.#question.answer(message.parsed)
          this.#question = null
        }
      })
      started.catch(reject)
    })
  }
}
