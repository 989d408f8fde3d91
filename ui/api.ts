// The page's requests to the server, besides the stream: runs, cancellations, stalls. Always its own origin.
import type { LoopEvent, LoopList } from '../src/events/schema.ts'
import { appPaths, PAGE_HEADER, paths } from '../src/http/paths.ts'
import { curl } from './curl.ts'
import { admitLines, admitLoops } from './entry.ts'

export interface ExampleSummary {
  number: number
  title: string
  lookFor: string
  parameters: string[]
}

export interface Example extends ExampleSummary {
  explanation: string
  python: string
  typescript: string
}

/** The events of an answer, and the number of lines that were no events. */
export interface EventLines {
  events: LoopEvent[]
  refused: number
}

/** The server's error message. */
export class RefusedError extends Error {
  override name = 'RefusedError'
  readonly status: number
  /** The server's code for the error; '' where the answer does not come from such a server. */
  readonly code: string

  constructor(status: number, message: string, code = '') {
    super(message.slice(0, 1000))
    this.status = status
    this.code = code
  }
}

export class Api {
  readonly base: URL
  /** The loop that is shown, where the request has to name it. */
  readonly #loop: () => string | null
  readonly #sent = new Set<{ what: string; at: number }>()

  constructor(base: URL, loop: () => string | null = () => null) {
    this.base = base
    this.#loop = loop
  }

  /** A path on the loop that is shown. */
  ofLoop(path: string): string {
    const loop = this.#loop()
    return loop === null ? path : `${path}${path.includes('?') ? '&' : '?'}loop=${encodeURIComponent(loop)}`
  }

  url(path: string): URL {
    return new URL(path.replace(/^\//, ''), this.base)
  }

  /** The terminal command that does the same as the page. */
  curl(path: string, options = ''): string {
    return curl(this.url(path).href, options)
  }

  async json<T>(path: string, init: RequestInit = {}): Promise<T> {
    const type = init.body == null ? {} : { 'content-type': 'application/json' }
    return await (await this.#fetch(path, { ...init, headers: { accept: 'application/json', ...type } })).json() as T
  }

  async loops(): Promise<LoopList> {
    const list = admitLoops(await this.json(paths.loops))
    if (list === null) throw new Error('the server’s list of loops cannot be read')
    return list
  }

  examples(): Promise<ExampleSummary[]> {
    return this.json(appPaths.examples)
  }

  example(n: number): Promise<Example> {
    return this.json(`${appPaths.examples}/${n}`)
  }

  async cancelTask(task: number): Promise<void> {
    await this.json(this.ofLoop(`${paths.tasks}/${task}`), { method: 'DELETE' })
  }

  async cancelRun(run: number): Promise<void> {
    await this.json(this.ofLoop(`${paths.runs}/${run}`), { method: 'DELETE' })
  }

  /** Starts an example on the server's loop, and returns the number of the run. It needs no connection: it goes on without this page. */
  async start(example: number, parameters: Record<string, string>): Promise<number> {
    const query = new URLSearchParams(parameters).toString()
    const { run } = await this.json<{ run: number }>(`${appPaths.examples}/${example}/run${query === '' ? '' : `?${query}`}`, { method: 'POST' })
    return run
  }

  /** Runs an example in virtual time, on a separate loop, and returns all of its events at once. */
  async runVirtual(example: number, parameters: Record<string, string>): Promise<EventLines & { run: number }> {
    const query = new URLSearchParams({ ...parameters, clock: 'virtual' }).toString()
    const response = await this.#fetch(`${appPaths.examples}/${example}/run?${query}`, { headers: { accept: 'application/x-ndjson' } })
    return { run: Number(response.headers.get('x-run-id')), ...admitLines(await response.text()) }
  }

  /** The address of a run's trace. */
  trace(run: number): URL {
    return this.url(this.ofLoop(`${paths.runs}/${run}/trace`))
  }

  /** The events of a run that the server still keeps. */
  async runEvents(run: number): Promise<EventLines> {
    const response = await this.#fetch(this.ofLoop(`${paths.runs}/${run}/events`), { headers: { accept: 'application/x-ndjson' } })
    return admitLines(await response.text())
  }

  /** Blocks the loop for `ms` milliseconds, with a blocking function on the loop's thread. */
  async stall(ms: number, thread = 'inline'): Promise<void> {
    await (await this.#fetch(`${appPaths.handlers}/sync?thread=${thread}&ms=${ms}`)).text()
  }

  /** Starts the stall lab; its results arrive as events. */
  startLab(order: { requests: number; ms: number; rate: number }): Promise<{ lab: number }> {
    return this.json(appPaths.lab, { method: 'POST', body: JSON.stringify(order) })
  }

  /** The server's explanation of a lab's figures. */
  async labWords(lab: number): Promise<string[]> {
    return (await this.json<{ words: string[] }>(`${appPaths.lab}/${lab}`)).words
  }

  async cancelLab(lab: number): Promise<void> {
    await this.json(`${appPaths.lab}/${lab}`, { method: 'DELETE' })
  }

  /** Resolves when the server answers anything. */
  answers(signal: AbortSignal): Promise<unknown> {
    return fetch(this.url(paths.healthz), { cache: 'no-store', signal, headers: { [PAGE_HEADER]: '1' } })
  }

  /** The requests without an answer, each with the time when it was sent, on a clock that shows `now`. */
  unanswered(now: number): { what: string; left: number }[] {
    return [...this.#sent].map(({ what, at }) => ({ what, left: now - (performance.now() - at) / 1000 }))
  }

  /** Marked as the page's own: a stall does not count it as delayed. */
  async #fetch(path: string, { headers, ...init }: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
    const sent = { what: `${init.method ?? 'GET'} ${path}`, at: performance.now() }
    this.#sent.add(sent)
    try {
      const response = await fetch(this.url(path), { ...init, headers: { ...headers, [PAGE_HEADER]: '1', 'x-request-start': `t=${Date.now()}` } })
      if (!response.ok) throw await refusal(response)
      return response
    } finally {
      this.#sent.delete(sent)
    }
  }
}

async function refusal(response: Response): Promise<RefusedError> {
  const text = await response.text()
  try {
    // The message contains what `details` lists by field.
    const { code, message } = JSON.parse(text) as { code?: string; message?: string }
    return new RefusedError(response.status, message ?? `the server answered ${response.status}`, code)
  } catch {
    return new RefusedError(response.status, text === '' ? `the server answered ${response.status}` : text.slice(0, 200))
  }
}
