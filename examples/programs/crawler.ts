// A crawler, as one would port it from Python: it follows the links of a site, with bounded concurrency, one request at a time for a
// host and a pause between two, a time limit for each request, retries, and a summary.
//
//   node --import ./tools/ts.mjs examples/programs/crawler.ts --at-once 8 --pause 0.1 https://example.org/
//
// Ctrl-C ends the requests that are under way, and prints the summary of what is known by then.
import { parseArgs } from 'node:util'
import {
  fromPromise, getRunningLoop, KeyboardInterrupt, Lock, print, Queue, rethrowCancelled, run, sleep, taskGroup, timeout, TimeoutError,
  type Coroutine,
} from '../../src/index.ts'

interface Settings {
  /** How many requests may be under way. */
  atOnce: number
  /** How many pages are read at most. */
  pages: number
  /** Seconds: between two requests to a host, for one request with its answer, and before the second try. */
  pause: number
  limit: number
  backoff: number
  /** How often a page is tried. */
  tries: number
  /** Whether hosts that links lead to are read as well. */
  follow: boolean
}

const DEFAULTS = { atOnce: 8, pages: 1000, pause: 0.1, limit: 5, backoff: 0.5, tries: 3 }

/** The longest page that is read, in bytes, and the most links of one page. */
const LONGEST_PAGE = 1_000_000
const MOST_LINKS = 1000

/** What became of a page. */
type Outcome = { status: number; links: number } | { failed: string }

/** The server says that it cannot answer now. */
class Unavailable extends Error {
  static {
    this.prototype.name = 'Unavailable'
  }
}

// One request.

interface Page {
  status: number
  links: string[]
}

/** Reads a page. Cancelling it ends the request. Throws an Unavailable, or the error of fetch. */
function* read(url: string): Coroutine<Page> {
  const response = yield* fromPromise(async (signal) => {
    const answer = await fetch(url, { signal, redirect: 'manual', headers: { accept: 'text/html' } })
    return { status: answer.status, location: answer.headers.get('location'), type: answer.headers.get('content-type') ?? '', text: await textOf(answer) }
  })
  const { status, location, type, text } = response
  if (status >= 500 || status === 429) throw new Unavailable(`status ${status}`)
  if (location !== null) return { status, links: linksIn(url, [location]) }
  return { status, links: status === 200 && type.includes('html') ? linksIn(url, [...text.matchAll(/<a\s[^>]*href="([^"#]+)/gi)].map(([, href]) => href as string)) : [] }
}

/** The text of an answer; of a long one the beginning. */
async function textOf(answer: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of answer.body ?? []) {
    text += decoder.decode(chunk as Uint8Array, { stream: true })
    if (text.length >= LONGEST_PAGE) break
  }
  return text.slice(0, LONGEST_PAGE)
}

/** Absolute addresses without fragments, each once. */
function linksIn(base: string, hrefs: readonly string[]): string[] {
  const links = new Set<string>()
  for (const href of hrefs.slice(0, MOST_LINKS)) {
    if (!URL.canParse(href, base)) continue
    const url = new URL(href, base)
    url.hash = ''
    if (url.protocol === 'http:' || url.protocol === 'https:') links.add(url.href)
  }
  return [...links]
}

// Politeness: a host gets one request at a time, and a pause after each.

class Host {
  readonly #lock = new Lock()
  readonly #pause: number
  #readyAt = 0

  constructor(pause: number) {
    this.#pause = pause
  }

  /** Runs `body` when it is this request's turn. */
  with<T>(body: () => Coroutine<T>): Coroutine<T> {
    return this.#lock.with(() => this.#inTurn(body))
  }

  *#inTurn<T>(body: () => Coroutine<T>): Coroutine<T> {
    const loop = getRunningLoop()
    yield* sleep(Math.max(0, this.#readyAt - loop.time()))
    try {
      return yield* body()
    } finally {
      this.#readyAt = loop.time() + this.#pause
    }
  }
}

// The crawl.

class Crawler {
  /** Every address that was found, and what became of it; `null` if it was not read yet. */
  readonly found = new Map<string, Outcome | null>()
  readonly #settings: Settings
  readonly #queue = new Queue<string>()
  readonly #hosts = new Map<string, Host>()
  readonly #allowed: ReadonlySet<string>

  constructor(start: readonly string[], settings: Settings) {
    this.#settings = settings
    this.#allowed = new Set(start.map((url) => new URL(url).host))
    for (const url of start) this.#add(url)
  }

  #add(url: string): void {
    const { follow, pages } = this.#settings
    if (this.found.has(url) || this.found.size >= pages || (!follow && !this.#allowed.has(new URL(url).host))) return
    this.found.set(url, null)
    this.#queue.putNowait(url)
  }

  #hostOf(url: string): Host {
    const { host } = new URL(url)
    let known = this.#hosts.get(host)
    if (known === undefined) this.#hosts.set(host, known = new Host(this.#settings.pause))
    return known
  }

  /** Reads everything that can be reached. A failure that is no failure of a page ends it, with an ExceptionGroup. */
  *run(): Coroutine<void> {
    const queue = this.#queue
    const workers = Array.from({ length: this.#settings.atOnce }, () => this.#work())
    yield* taskGroup(function* (group) {
      for (const [at, worker] of workers.entries()) group.createTask(worker, { name: `worker ${at}` })
      yield* queue.join()
      group.cancel()
    })
  }

  *#work(): Coroutine<void> {
    for (;;) {
      const url = yield* this.#queue.get()
      try {
        const outcome = yield* this.#visit(url)
        this.found.set(url, outcome)
        print('failed' in outcome ? `failed ${url}: ${outcome.failed}` : `${outcome.status} ${url} ${outcome.links} links`)
      } finally {
        this.#queue.taskDone()
      }
    }
  }

  /** Reads a page, and again if that fails. */
  *#visit(url: string): Coroutine<Outcome> {
    const { tries, limit, backoff } = this.#settings
    for (let attempt = 1; ; attempt++) {
      try {
        const { status, links } = yield* this.#hostOf(url).with(() => timeout(limit, () => read(url)))
        for (const link of links) this.#add(link)
        return { status, links: links.length }
      } catch (error) {
        rethrowCancelled(error)
        if (attempt === tries) return { failed: reasonOf(error) }
      }
      yield* sleep(backoff * 2 ** (attempt - 1))
    }
  }
}

/** Why a page could not be read, in a few words. */
function reasonOf(error: unknown): string {
  if (error instanceof TimeoutError) return 'no answer in time'
  if (error instanceof Unavailable) return error.message
  // fetch says why in the cause only.
  const { code, message } = ((error as Error).cause ?? error) as { code?: string; message: string }
  return code ?? message
}

// The program.

function summaryOf({ found }: Crawler): string {
  const outcomes = [...found.values()]
  const failed = outcomes.filter((outcome) => outcome !== null && 'failed' in outcome).length
  const left = outcomes.filter((outcome) => outcome === null).length
  return `found ${found.size}, read ${found.size - failed - left}, failed ${failed}, left ${left}`
}

/** Addresses and settings from the arguments of a command line. Throws an error for those that are none. */
function argumentsOf(args: string[]): { start: string[]; settings: Settings } {
  const { values, positionals } = parseArgs({
    args, allowPositionals: true,
    options: {
      'at-once': { type: 'string' }, 'pages': { type: 'string' }, 'pause': { type: 'string' }, 'limit': { type: 'string' }, 'backoff': { type: 'string' },
      'tries': { type: 'string' }, 'follow': { type: 'boolean' },
    },
  })
  const number = (name: 'at-once' | 'pages' | 'pause' | 'limit' | 'backoff' | 'tries', otherwise: number, least = 0): number => {
    const value = Number(values[name] ?? otherwise)
    if (!(value >= least)) throw new RangeError(`--${name} takes a number of at least ${least}, got ${String(values[name])}`)
    return value
  }
  if (positionals.length === 0) throw new TypeError('an address is needed: crawler.ts [--at-once 8] [--pages 1000] [--pause 0.1] [--limit 5] [--tries 3] [--follow] URL…')
  const wrong = positionals.find((text) => !URL.canParse(text) || !/^https?:/.test(text))
  if (wrong !== undefined) throw new TypeError(`an address begins with http:// or https://, got ${wrong}`)
  return {
    start: positionals.map((text) => new URL(text).href),
    settings: {
      atOnce: number('at-once', DEFAULTS.atOnce, 1), pages: number('pages', DEFAULTS.pages, 1), pause: number('pause', DEFAULTS.pause),
      limit: number('limit', DEFAULTS.limit), backoff: number('backoff', DEFAULTS.backoff), tries: number('tries', DEFAULTS.tries, 1), follow: values.follow ?? false,
    },
  }
}

try {
  const { start, settings } = argumentsOf(process.argv.slice(2))
  const crawler = new Crawler(start, settings)
  try {
    await run(crawler.run(), { name: 'main' })
  } finally {
    print(summaryOf(crawler))
  }
} catch (error) {
  if (!(error instanceof KeyboardInterrupt)) console.error(String(error))
  process.exitCode = error instanceof KeyboardInterrupt ? 130 : 1
}
