// The thread of Python programs: CPython, started from bytes that the page sends, with the page's own asyncio loop. It reports
// what TypeScript's thread reports, runs one program, and is then discarded. Nothing is loaded here: its document allows none.
import { EventBuilder } from '../../../src/events/builder.ts'
import { cutEvent } from '../../../src/events/texts.ts'
import { Sources } from '../thread/failure.ts'
import { Outbox } from '../thread/outbox.ts'
import type { FromThread, Parsed, PythonFiles, ToThread } from '../messages.ts'

/** The modules of the thread in Python, by their paths. */
const MODULES = import.meta.glob<string>('./*.py', { query: '?raw', import: 'default', eager: true })
/** What they import of the standard library: a snapshot has it. */
const IMPORTED = new Set(Object.values(MODULES).flatMap((code) => [...code.matchAll(/^(?:import|from) ([a-z]\w*)/gm)].map(([, name]) => name)))
/** What the loader would fetch files from. */
const NOWHERE = 'https://python.invalid/'
/** The number of the signal by which Python looks at its own stack, and the ms between two. */
const ALARM = 14
const ALARM_EVERY = 50
/** The most memory that a program may take, in bytes. */
const MOST_MEMORY = 1 << 30
/** The longest time (ms) that a timer of the browser may have. */
const LONGEST = 2 ** 31 - 1

/** The part of pyodide.mjs that is used here. */
interface Loader {
  loadPyodide(options: Record<string, unknown>): Promise<Pyodide>
}

interface Pyodide {
  runPython(code: string, options?: { filename?: string; globals?: unknown }): unknown
  setInterruptBuffer(buffer: object): void
  makeMemorySnapshot(): Uint8Array<ArrayBuffer>
  registerJsModule(name: string, module: object): void
  pyimport(name: 'loopscope_page.program'): { start: { callPromising(...values: unknown[]): Promise<string> } }
  pyimport(name: 'loopscope_page.parse'): { parse(code: string): string }
  _module: { SOCKFS: { pollAsync: (files: number, count: number, ms: number) => Promise<number> } }
  FS: { mkdirTree(path: string): void; writeFile(path: string, text: string): void }
}

type Fact = [name: string, ...values: unknown[]]
type Start = ToThread & { type: 'start' }

/** What Python calls. */
class Host {
  readonly #outbox: Outbox
  readonly #builders: EventBuilder[] = []
  #wake: (() => void) | null = null
  #interrupted = false
  /** Whether only a task of the program could make another one ready. */
  idle = false

  constructor(outbox: Outbox) {
    this.#outbox = outbox
  }

  /** Takes facts of the loop with this number, from 0, as JSON: the names of the builder's methods with their values. */
  tell(loop: number, facts: string): void {
    const builder = this.#builders[loop] ??= new EventBuilder((event) => {
      event.loop = 'playground'
      this.#outbox.event(cutEvent(event), loop)
    })
    const methods = builder as unknown as Record<string, (...values: unknown[]) => void>
    for (const [name, ...values] of JSON.parse(facts) as Fact[]) methods[name]?.(...values)
  }

  flush(): void {
    this.#outbox.flush()
  }

  say(message: string): void {
    this.#outbox.send(JSON.parse(message) as FromThread)
  }

  /** Lets the thread take messages for this number of ms, without end if it is negative, or until it is interrupted. Python's stack waits meanwhile. */
  wait(ms: number): Promise<number> {
    this.#outbox.flush()
    this.idle = ms < 0
    if (ms === 0) return nextTurn()
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(0), ms < 0 ? LONGEST : ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve(0)
      }
      if (this.#interrupted) this.#wake()
    })
  }

  /** Whether the page has cancelled the program since the last call. */
  interrupted(): boolean {
    const was = this.#interrupted
    this.#interrupted = false
    return was
  }

  interrupt(): void {
    this.#interrupted = true
    this.#wake?.()
  }
}

/** Ends once the messages that have come are taken; a timer would take 4 ms. */
function nextTurn(): Promise<number> {
  const { port1, port2 } = new MessageChannel()
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close()
      resolve(0)
    }
    port2.postMessage(null)
  })
}

/** What Python looks at every few instructions, to see whether a signal was sent. Its steps that take long get one. */
function alarms(): object {
  let last = performance.now()
  return {
    get 0(): number {
      const now = performance.now()
      if (now - last < ALARM_EVERY) return 0
      last = now
      return ALARM
    },
    set 0(_value: number) {},
  }
}

/** Lets memory grow up to a limit: beyond, Python raises a MemoryError. */
function boundMemory(): void {
  const { prototype } = WebAssembly.Memory
  const grow = Object.getOwnPropertyDescriptor(prototype, 'grow')?.value as (this: WebAssembly.Memory, pages: number) => number
  prototype.grow = function (pages) {
    if (this.buffer.byteLength + pages * 65_536 > MOST_MEMORY) throw new RangeError('the limit of the playground')
    return grow.call(this, pages)
  }
}

/** Starts CPython, from a snapshot if there is one; otherwise `keep` gets one. */
async function load(files: PythonFiles, snapshot: Blob | null, keep: (snapshot: Blob) => void): Promise<Pyodide> {
  // Python's stack waits where its loop is idle, and the thread takes messages meanwhile.
  if (!('Suspending' in WebAssembly)) throw new Error('this browser cannot pause WebAssembly. Chrome 137, Firefox 153 and Safari 27 can, and later ones')
  const addressOf = (file: Blob): string => URL.createObjectURL(file.slice(0, file.size, 'text/javascript'))
  // The loader asks for its files in this way only.
  const answers = new Map(Object.entries(files).map(([name, file]) => [NOWHERE + name, file]))
  globalThis.fetch = (address) => {
    const file = answers.get(address instanceof Request ? address.url : String(address))
    const type = String(address).endsWith('.wasm') ? 'application/wasm' : 'application/octet-stream'
    return Promise.resolve(file === undefined ? new Response(null, { status: 404 }) : new Response(file, { headers: { 'content-type': type } }))
  }
  const loader = await import(/* @vite-ignore */ addressOf(files['pyodide.mjs'])) as Loader
  const { default: createPyodideModule } = await import(/* @vite-ignore */ addressOf(files['pyodide.asm.mjs'])) as { default: unknown }
  const from = snapshot === null ? { _makeSnapshot: true } : { _loadSnapshot: new Uint8Array(await snapshot.arrayBuffer()) }
  const python = await loader.loadPyodide({ indexURL: NOWHERE, packageBaseUrl: NOWHERE, createPyodideModule, jsglobals: {}, stdin: () => null, ...from })
  if (snapshot === null) {
    python.runPython(`import ${[...IMPORTED].join(', ')}`)
    keep(new Blob([python.makeMemorySnapshot()]))
  }
  globalThis.fetch = () => Promise.reject(new TypeError('there is no network here'))
  return python
}

function open({ files, snapshot }: ToThread & { type: 'open' }, port: MessagePort): void {
  let ended = false
  const end = (ending: Omit<FromThread & { type: 'ended' }, 'type'>): void => {
    if (ended) return
    ended = true
    outbox.send({ type: 'ended', ...ending })
    outbox.close()
  }
  const outbox = new Outbox(port, new Sources(new Map()), (what) => end({ outcome: 'cancelled', failure: null, note: `It has reached ${what}, the limit of the playground.` }))
  const host = new Host(outbox)
  let note: string | null = null
  boundMemory()
  const keep = (made: Blob): void => port.postMessage({ type: 'snapshot', snapshot: made } satisfies FromThread)
  const started = load(files, snapshot, keep).then((python) => {
    python.registerJsModule('_host', {
      tell: (loop: number, facts: string) => host.tell(loop, facts),
      flush: () => host.flush(),
      say: (message: string) => host.say(message),
      interrupted: () => host.interrupted(),
    })
    python._module.SOCKFS.pollAsync = (_files, _count, ms) => host.wait(ms)
    python.setInterruptBuffer(alarms())
    python.FS.mkdirTree('/lib/playground/loopscope_page')
    for (const [path, code] of Object.entries(MODULES)) python.FS.writeFile(`/lib/playground/loopscope_page/${path.slice(2)}`, code)
    python.runPython("import sys; sys.path.insert(0, '/lib/playground')")
    return { program: python.pyimport('loopscope_page.program'), parser: python.pyimport('loopscope_page.parse') }
  })
  port.onmessage = ({ data }: MessageEvent<ToThread>) => {
    if (data.type === 'ping') outbox.send({ type: 'pong', count: data.count, idle: host.idle })
    else if (data.type === 'start') void run(data)
    else if (data.type === 'parse') void started.then(({ parser }) => outbox.send({ type: 'parsed', id: data.id, ...JSON.parse(parser.parse(data.code)) as Omit<Parsed, 'type' | 'id'> }), () => {})
    else if (data.type === 'cancel') {
      note ??= data.reason
      host.interrupt()
    }
  }
  const run = async ({ program, clock, until }: Start): Promise<void> => {
    if (program.language !== 'python') return
    try {
      const { program: { start } } = await started
      outbox.send({ type: 'ready' })
      const ending = JSON.parse(await start.callPromising(program.code, clock, until)) as FromThread & { type: 'ended' }
      end({ ...ending, note: ending.note ?? note })
    } catch (error) {
      end(failed(error))
    }
  }
  started.then(() => outbox.send({ type: 'ready' }), (error: unknown) => end(failed(error)))
}

function failed(error: unknown): Omit<FromThread & { type: 'ended' }, 'type'> {
  return { outcome: 'raised', failure: { text: `CPython cannot run: ${error instanceof Error ? error.message : String(error)}`, stack: [] }, note: null }
}

addEventListener('message', ({ data, ports }: MessageEvent<ToThread>) => {
  const [port] = ports
  if (data.type === 'open' && port !== undefined) open(data, port)
}, { once: true })
