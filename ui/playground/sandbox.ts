// The sealed document that programs run in: of an origin that is nobody's, so that it has no access to this server or to
// anything kept here, and under a policy that lets it load nothing. Only this end of it is in the page.
import type { ToThread } from './messages.ts'

const DOCUMENT = 'sandbox.html'
/** Milliseconds that the document may take to load. */
const PATIENCE = 10_000

export class Sandbox {
  readonly #frame: HTMLIFrameElement
  readonly #ready: Promise<void>

  /** Puts the document into `parent`, unseen. */
  constructor(parent: Element) {
    const frame = document.createElement('iframe')
    frame.setAttribute('sandbox', 'allow-scripts')
    frame.title = 'Where programs run, sealed off'
    frame.hidden = true
    frame.src = new URL(DOCUMENT, document.baseURI).href
    this.#frame = frame
    this.#ready = new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('the sealed document did not load: reload the page')), PATIENCE)
      const hear = ({ source, data }: MessageEvent): void => {
        if (source !== frame.contentWindow || data !== 'ready') return
        removeEventListener('message', hear)
        clearTimeout(late)
        resolve()
      }
      addEventListener('message', hear)
    })
    this.#ready.catch(() => {})
    parent.append(frame)
  }

  /** Start a thread with this script, in place of the one before, and give the port to it. */
  async start(thread: string, message: ToThread): Promise<MessagePort> {
    await this.#ready
    const { port1, port2 } = new MessageChannel()
    // The document's origin has no name, so it cannot be named here; what it is told is the program that it is to run.
    this.#frame.contentWindow?.postMessage({ type: 'start', thread, message }, '*', [port2])
    return port1
  }

  /** End the thread, whatever it is doing. */
  end(): void {
    this.#frame.contentWindow?.postMessage({ type: 'end' }, '*')
  }

  remove(): void {
    this.#frame.remove()
  }
}
