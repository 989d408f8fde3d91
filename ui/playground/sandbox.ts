// The sealed document that programs run in. Its opaque origin has no access to this server or to stored data, and its policy
// lets it load nothing. The page has only this end of it and the gate.
import type { FromGate, ToGate, ToThread } from './messages.ts'

const DOCUMENT = 'sandbox.html'
/** Milliseconds that the document may take to load. */
const PATIENCE = 10_000
/** Milliseconds that it may take to end a thread. If the program keeps the document too busy for that, the document is replaced. */
const GRACE = 1000

/** One thread, and the gate before it. */
export interface Line {
  send(message: ToGate): void
  /** Ends the thread; the gate still passes on what the thread has sent. */
  close(): void
  /** Ends the thread, whatever it is doing. */
  end(): void
}

export class Sandbox {
  readonly #parent: Element
  #frame: HTMLIFrameElement
  #ready: Promise<void>
  #line: Line | null = null

  /** Puts the hidden document into `parent`. */
  constructor(parent: Element) {
    this.#parent = parent
    this.#frame = this.#load()
    this.#ready = this.#word(PATIENCE)
  }

  /** Starts a thread with this script and ends the previous one. `receive` is called with each message of the gate. */
  async start(thread: string, message: ToThread, receive: (message: FromGate) => void): Promise<Line> {
    this.#line?.end()
    await this.#ready.catch(() => this.#replace())
    const { port1, port2 } = new MessageChannel()
    const gate = new Worker(new URL('./gate/worker.ts', import.meta.url), { type: 'module', name: 'gate' })
    gate.onmessage = ({ data }: MessageEvent<FromGate>) => receive(data)
    gate.onerror = () => receive({ items: [], refused: 0, over: 'The gate before it did not start: reload the page.' })
    gate.postMessage({ type: 'open' } satisfies ToGate, [port1])
    // An opaque origin cannot be named as the target. The message contains only the program to run.
    this.#frame.contentWindow?.postMessage({ type: 'start', thread, message }, '*', [port2])
    const line: Line = {
      send: (word) => gate.postMessage(word),
      close: () => {
        if (this.#line === line) this.#end()
        gate.postMessage({ type: 'close' } satisfies ToGate)
      },
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

  /** Waits until the document reports that it is ready for a thread. */
  #word(patience: number): Promise<void> {
    const frame = this.#frame
    const word = new Promise<void>((resolve, reject) => {
      const done = (): void => {
        removeEventListener('message', onMessage)
        clearTimeout(late)
      }
      const onMessage = ({ source, data }: MessageEvent): void => {
        if (source !== frame.contentWindow || data !== 'ready') return
        done()
        resolve()
      }
      const late = setTimeout(() => {
        done()
        reject(new Error('the sealed document did not load: reload the page'))
      }, patience)
      addEventListener('message', onMessage)
    })
    word.catch(() => {})
    return word
  }
}
