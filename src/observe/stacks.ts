// Takes the stack of the main thread while it is blocked, from a worker thread: through the inspector, the main thread
// evaluates code that reads its own stack, on top of what it runs. Nothing is paused and no debugger is enabled, so nothing
// can be left paused. A session ends with its answer, so none is open when the process ends.
import { Session, type Runtime } from 'node:inspector'
import { isAbsolute, relative, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import type { EventOf } from '../events/schema.ts'
import type { Origin } from './current-request.ts'
import { CAPTURE, COROUTINES, sitesOf, type Captured, type Site } from './stack-probe.ts'
import { culpritOf as culpritAmong, isOwnCode } from '../own-code.ts'
import { enterSession, leaveSession } from './inspector-lock.ts'
import { pathOf, SourceMaps, type Position } from './source-maps.ts'

/** How long the main thread has to answer where its coroutines wait, in ms. */
const LOCATE_MS = 1000
const MOST_SCRIPTS = 20_000

export type Frame = NonNullable<EventOf<'loop.blocked'>['stack']>[number]

export interface Taken {
  /** When it was taken, in ms of the main thread's `performance.now()`. */
  at: number
  /**
   * Innermost first, at most 16. Node's own frames are left out if there are others. So is a function that was only just
   * entered, unless it is the only one: there a thread answers that comes back from a native function. Without frames, the
   * thread is between two callbacks or microtasks, or nothing runs.
   */
  frames: Frame[]
  /** The only function has only just been entered. */
  entered?: boolean
  /** What the interrupted code belongs to, if known. */
  origin: Origin | undefined
  /** A debugger has paused the thread. */
  paused: boolean
  /** How many ms it took the thread, and what ran: see `Captured`. */
  took?: number | undefined
  turn?: number | undefined
  micro?: boolean | undefined
  jobs?: number | undefined
}

export interface StacksOptions {
  /** `false` leaves the inspector alone: every stack is `null`. Default `true`. */
  enabled?: boolean
  /** The word of shared memory that the main thread passes to `endSessions` before it exits. */
  sessions?: Int32Array
}

/** Where Node calls callbacks. */
const DISPATCHER = /(^|\.)(processTicksAndRejections|runNextTicks|processImmediate|listOnTimeout|processTimers)$/

export class Stacks {
  readonly #enabled: boolean
  readonly #sessions: Int32Array
  readonly #maps = new SourceMaps()
  /** The URLs of scripts, by their ids. */
  readonly #scripts = new Map<string, string>()
  #session: Session | null = null
  #asked: Promise<Taken | null> | null = null
  #closed = false

  constructor(options: StacksOptions = {}) {
    if (isMainThread) throw new Error('Stacks is for a worker thread: the main thread, while it is blocked, cannot ask for its own stack')
    this.#enabled = options.enabled ?? true
    this.#sessions = options.sessions ?? new Int32Array(new SharedArrayBuffer(4))
  }

  /** Takes the main thread's stack: `take()` without the time. */
  async takeStack(): Promise<Frame[] | null> {
    const frames = (await this.take())?.frames ?? []
    return frames.length === 0 ? null : frames
  }

  /**
   * Takes the main thread's stack. A thread that runs JavaScript answers within a few ms. A thread inside a native function
   * answers when the function returns, at the next line that runs; `at` shows the delay. Calls in between share the answer.
   * `null` if the thread cannot be asked.
   */
  take(): Promise<Taken | null> {
    if (!this.#enabled || this.#closed) return Promise.resolve(null)
    this.#asked ??= this.#ask().finally(() => {
      this.#asked = null
    })
    return this.#asked
  }

  /**
   * Where the coroutines of at most 500 suspended tasks wait, by the number of the task: the line of the task's own function, which
   * V8 knows of a suspended generator. Empty if the main thread does not answer within a second.
   */
  async locate(): Promise<Map<number, Frame>> {
    const found = new Map<number, Frame>()
    if (!this.#enabled || this.#closed) return found
    const places = await this.#talk<Suspended[]>((session, done) => {
      setTimeout(() => done([]), LOCATE_MS).unref()
      void suspended((method, parameters) => new Promise((resolve, reject) => {
        session.post(method, parameters, (error, reply) => (error === null ? resolve(reply as never) : reject(error)))
      })).then(done, () => done(null))
    }) ?? []
    if (places.some(({ script }) => !this.#scripts.has(script))) await this.#learnAllScripts()
    for (const { task, name, script, line, column } of places) {
      const url = this.#scripts.get(script)
      if (url !== undefined) found.set(task, this.#frame([name, url, line, column]))
    }
    return found
  }

  /** As `#learnScripts`, of all that are files. */
  async #learnAllScripts(): Promise<void> {
    await this.#talk((session, done) => {
      session.on('Debugger.scriptParsed', ({ params: { scriptId, url, sourceMapURL = '' } }) => {
        if (url.startsWith('node:') || url === '' || this.#scripts.size >= MOST_SCRIPTS) return
        this.#scripts.set(scriptId, url)
        if (this.#maps.needsScript(url)) this.#maps.learn(url, sourceMapURL)
      })
      session.post('Debugger.enable')
      session.post('Debugger.disable', () => done(null))
    })
  }

  /** Ends the session, if there is one; open calls get `null`. */
  // eslint-disable-next-line @typescript-eslint/require-await
  async close(): Promise<void> {
    this.#closed = true
    this.#end()
  }

  async #ask(): Promise<Taken | null> {
    const captured = await this.#capture()
    if (captured === null) return null
    const sites = typeof captured.sites === 'string' ? sitesOf(captured.sites) : captured.sites
    const { at, begin, origin, inspected = false, took, turn, micro, jobs } = captured
    const needed = sites.some(([, url, , , source]) => source === undefined && this.#maps.needsScript(url))
    const paused = (inspected || needed) && await this.#learnScripts(sites)
    const frames = sites.map((site) => this.#frame(site))
    const entered = begin != null && this.#maps.isHeader(this.#positionOf(begin), this.#positionOf(sites[0] as Site))
    if (entered && frames.length > 1) frames.shift()
    if (DISPATCHER.test(frames[0]?.function ?? '') && frames[0]?.file.startsWith('node:')) frames.length = 0
    return { at, frames, origin, paused, entered: entered && sites.length === 1, took, turn, micro, jobs }
  }

  #capture(): Promise<Captured | null> {
    return this.#talk((session, done) => {
      const parameters = { expression: CAPTURE, returnByValue: true, silent: true, disableBreaks: true }
      session.post('Runtime.evaluate', parameters, (error, reply) => {
        const { result, exceptionDetails } = (reply ?? {}) as Partial<Runtime.EvaluateReturnType>
        done(error === null && exceptionDetails === undefined ? result?.value as Captured : null)
      })
    })
  }

  /**
   * Finds the source maps of loaded scripts. This takes the main thread 10 to 50 ms, so it is done only for files whose map
   * neither Node nor the disk has. Both commands are sent at once: no line of the program runs in between, under an enabled
   * debugger. Returns whether another debugger has paused the thread.
   */
  async #learnScripts(sites: Site[]): Promise<boolean> {
    let paused = false
    const wanted = new Map(sites.map(([, url]) => [url, '']))
    await this.#talk((session, done) => {
      session.on('Debugger.scriptParsed', ({ params }) => {
        const url = wanted.has(params.url) ? params.url : pathOf(params.url) ?? ''
        if (wanted.has(url) && params.sourceMapURL) wanted.set(url, params.sourceMapURL)
      })
      session.on('Debugger.paused', () => {
        paused = true
      })
      session.post('Debugger.enable')
      session.post('Debugger.disable', () => done(null))
    })
    for (const [url, sourceMapURL] of wanted) if (this.#maps.needsScript(url)) this.#maps.learn(url, sourceMapURL)
    return paused
  }

  /** A session for one answer. It ends when the answer arrives, which may be in the middle of other code on this thread. */
  #talk<T>(ask: (session: Session, done: (answer: T | null) => void) => void): Promise<T | null> {
    return new Promise((resolve) => {
      if (this.#closed || !enterSession(this.#sessions)) {
        resolve(null)
        return
      }
      const session = new Session()
      this.#session = session
      try {
        session.connectToMainThread()
        ask(session, (answer) => {
          if (this.#session === session) this.#end()
          resolve(answer)
        })
      } catch {
        this.#end() // Node's permission model, for example, can forbid it
        resolve(null)
      }
    })
  }

  #end(): void {
    if (this.#session === null) return
    const session = this.#session
    this.#session = null
    session.disconnect() // makes open questions fail
    leaveSession(this.#sessions)
  }

  #frame(site: Site): Frame {
    const { url, line, column } = this.#positionOf(site)
    return { function: site[0], file: plain(url), line, column }
  }

  /** The position of a site in its source. */
  #positionOf([, url, line, column, source, sourceLine, sourceColumn]: Site): Position {
    if (source !== undefined) return { url: source, line: sourceLine!, column: sourceColumn! }
    return this.#maps.find(url, line, column) ?? { url, line, column }
  }
}

interface Suspended {
  task: number
  name: string
  script: string
  line: number
  column: number
}

interface Property {
  name: string
  value?: { objectId?: string; value?: unknown }
}

type Post = (method: string, parameters: object) => Promise<{ result: unknown; internalProperties?: Property[] }>

/** Reads the locations of the coroutines that `COROUTINES` returns, over one session. */
async function suspended(post: Post): Promise<Suspended[]> {
  const properties = async (objectId: string | undefined): Promise<{ own: Property[]; internal: Property[] }> => {
    if (objectId === undefined) return { own: [], internal: [] }
    const { result, internalProperties = [] } = await post('Runtime.getProperties', { objectId, ownProperties: true })
    return { own: result as Property[], internal: internalProperties }
  }
  const { result } = await post('Runtime.evaluate', { expression: COROUTINES, silent: true, disableBreaks: true })
  const { own } = await properties((result as { objectId?: string }).objectId)
  const places = await Promise.all(own.map(async ({ name, value }): Promise<Suspended[]> => {
    const [task, ...of] = name.split(' ')
    if (value?.objectId === undefined || !/^\d+$/.test(task as string)) return []
    const { internal } = await properties(value.objectId)
    const at = internal.find((property) => property.name === '[[GeneratorLocation]]')?.value?.value as { scriptId: string; lineNumber: number; columnNumber?: number } | undefined
    return at === undefined ? [] : [{ task: Number(task), name: of.join(' '), script: at.scriptId, line: at.lineNumber + 1, column: (at.columnNumber ?? 0) + 1 }]
  }))
  return places.flat()
}

/** A path relative to the working directory if the file is below it; any other path in full; anything else unchanged. */
function plain(url: string): string {
  const path = pathOf(url)
  if (path === null) return url
  const below = relative(process.cwd(), path)
  return below === '' || below === '..' || below.startsWith(`..${sep}`) || isAbsolute(below) ? path : below
}

/** The innermost frame that belongs neither to Node nor to loopscope: the line to look at. `null` if there is no such frame. */
export function culpritOf(frames: readonly Frame[]): Frame | null {
  return culpritAmong(frames, (file) => isOwnCode(pathToFileURL(file).href))
}
