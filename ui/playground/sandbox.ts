// The sealed document that programs run in: of an origin that is nobody's, so that it has no access to this server or to
// anything kept here, and under a policy that lets it load nothing. Only this end of it is in the page, and the gate.
import type { FromGate, ToGate, ToThread } from './messages.ts'

const DOCUMENT = 'sandbox.html'
/** Milliseconds that the document may take to load. */
const PATIENCE = 10_000
/** And to end a thread: a document that does not get round to it is kept busy by the program, and is thrown away. */
const GRACE = 1000

/** One thread, and the gate before it. */
export interface Line {
  tell(message: ToGate): void
  /** End the thread, whatever it is doing. */
  end(): void
}

export class Sandbox {
  readonly #parent: Element
  #frame: HTMLIFrameElement
  #ready: Promise<void>
  #line: Line | null = null

  /** Puts the document into `parent`, unseen. */
  constructor(parent: Element) {
    this.#parent = parent
    this.#frame = this.#load()
    this.#ready = this.#word(PATIENCE)
  }

  /** Start a thread with this script, in place of the one before. `hear` is called with what the gate lets through. */
  async start(thread: string, message: ToThread, hear: (message: FromGate) => void): Promise<Line> {
    this.#line?.end()
    await this.#ready.catch(() => this.#replace())
    const { port1, port2 } = new MessageChannel()
    const gate = new Worker(new URL('./gate/worker.ts', import.meta.url), { type: 'module', name: 'gate' })
    gate.onmessage = ({ data }: MessageEvent<FromGate>) => hear(data)
    gate.onerror = () => hear({ items: [], refused: 0, over: 'The gate before it did not start: reload the page.' })
    gate.postMessage({ type: 'open' } satisfies ToGate, [port1])
    // The document's origin has no name, so it cannot be named here; what it is told is the program that it is to run.
    this.#frame.contentWindow?.postMessage({ type: 'start', thread, message }, '*', [port2])
    const line: Line = {
      tell: (word) => gate.postMessage(word),
      end: () => {
        gate.terminate()
        if (this.#line === line) this.#end()
      },
    }
    return this.#line = line
  }

  remove(): void {
    this.#line?.end()
    this.#frame.remove()
  }

  #end(): void {
    this.#line = null
    this.#frame.contentWindow?.postMessage({ type: 'end' }, '*')
    this.#ready = this.#word(GRACE).catch(() => this.#replace())
    this.#ready.catch(() => {})
  }

  #load(): HTMLIFrameElement {
    const frame = document.createElement('iframe')
    frame.setAttribute('sandbox', 'allow-scripts')
    frame.title = 'Where programs run, sealed off'
    frame.hidden = true
    frame.src = new URL(DOCUMENT, document.baseURI).href
    this.#parent.append(frame)
    return frame
  }

  #replace(): Promise<void> {
    if (!this.#frame.isConnected) return Promise.reject(new Error('the playground was closed'))
    this.#frame.remove()
    this.#frame = this.#load()
    return this.#ready = this.#word(PATIENCE)
  }

  /** Wait until the document says that it is ready for a thread. */
  #word(patience: number): Promise<void> {
    const frame = this.#frame
    const word = new Promise<void>((resolve, reject) => {
      const done = (): void => {
        removeEventListener('message', hear)
        clearTimeout(late)
      }
      const hear = ({ source, data }: MessageEvent): void => {
        if (source !== frame.contentWindow || data !== 'ready') return
        done()
        resolve()
      }
      const late = setTimeout(() => {
        done()
        reject(new Error('the sealed document did not load: reload the page'))
      }, patience)
      addEventListener('message', hear)
    })
    word.catch(() => {})
    return word
  }
}
