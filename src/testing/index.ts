// `loopscope/testing`: a gate for tests, in any test runner. A test fails if it blocks the event loop, or calls a synchronous
// function of Node's. Import it before what is tested.
import { requireKnown, type Names } from '../observe/options.ts'
import { BlockWatch, LEAST_BLOCKED_MS, type Block } from './blocks.ts'
import { onSyncCall, type SyncCall } from './sync-calls.ts'

export interface GateOptions {
  /** From how many milliseconds on the loop counts as blocked, at least 20; `false`: do not look for that. Default 100. */
  blockedMs?: number | false | undefined
  /** Whether to look for calls of synchronous functions of `fs`, `child_process`, `crypto` and `zlib`. Default true. */
  sync?: boolean | undefined
  /** What is allowed: a text or an expression found in the name of the function or in the line that calls it or blocks the loop. Default none. */
  allow?: readonly (string | RegExp)[] | undefined
}

const OPTIONS: Names<Required<GateOptions>> = { blockedMs: true, sync: true, allow: true }

/** What a gate has found: the loop was blocked, or a function was called that would block it. */
export type Finding =
  | { kind: 'blocked'; ms: number; at: string | null; stack: readonly string[] }
  /** `times`: how often this line has called it. */
  | { kind: 'sync'; function: string; times: number; at: string; stack: readonly string[] }

/** Different lines that call synchronous functions, in one test. */
const MOST_CALLS = 100

/** The message has a line for each finding. */
export class LoopGateError extends Error {
  override name = 'LoopGateError'
  readonly findings: readonly Finding[]

  /** @internal */
  constructor(findings: readonly Finding[]) {
    super(`${findings.length} ${findings.length === 1 ? 'line blocks' : 'lines block'} the event loop:\n${findings.map(lineOf).join('\n')}`)
    this.findings = findings
  }
}

function lineOf(finding: Finding): string {
  if (finding.kind === 'blocked') return `  blocked for ${finding.ms} ms ${finding.at === null ? 'by code that is not known' : `in ${finding.at}`}`
  return `  ${finding.function} was called${finding.times === 1 ? '' : ` ${finding.times} times`} at ${finding.at}`
}

/** Watches the thread that calls it, between `start` and `stop`. */
export class LoopGate {
  readonly #blockedMs: number | false
  readonly #sync: boolean
  readonly #allow: readonly (string | RegExp)[]
  #calls = new Map<string, Finding & { kind: 'sync' }>()
  #blocks: BlockWatch | null = null
  #stopListening: (() => void) | null = null

  /** Throws a TypeError for an option that does not exist, and a RangeError for a value that is not possible. */
  constructor(options: GateOptions = {}) {
    requireKnown('LoopGate', options, OPTIONS)
    const { blockedMs = 100, sync = true, allow = [] } = options
    if (blockedMs !== false && !(Number.isFinite(blockedMs) && blockedMs >= LEAST_BLOCKED_MS)) {
      throw new RangeError(`LoopGate: blockedMs: ${String(blockedMs)} must be a number from ${LEAST_BLOCKED_MS}, or false`)
    }
    this.#blockedMs = blockedMs
    this.#sync = sync
    this.#allow = allow
  }

  /** Watches from now on. Throws an Error if it does already. The first start in a process takes some hundred ms: a thread is started. */
  async start(): Promise<void> {
    if (this.#stopListening !== null) throw new Error('LoopGate: start was called twice: call stop or assert first')
    const calls = new Map<string, Finding & { kind: 'sync' }>()
    this.#calls = calls
    let listening = false
    const stop = this.#sync ? onSyncCall((call) => listening && note(calls, call)) : () => {}
    this.#stopListening = stop
    try {
      this.#blocks = this.#blockedMs === false ? null : await BlockWatch.start()
    } catch (error) {
      stop()
      this.#stopListening = null
      throw error
    }
    listening = true
  }

  /** Ends the watch and returns what was found. */
  async stop(): Promise<Finding[]> {
    if (this.#stopListening === null) throw new Error('LoopGate: stop was called before start')
    this.#stopListening()
    this.#stopListening = null
    const blocks: Block[] = this.#blocks === null || this.#blockedMs === false ? [] : await this.#blocks.stop(this.#blockedMs)
    this.#blocks = null
    const found: Finding[] = [...blocks.map((block) => ({ kind: 'blocked' as const, ...block })), ...this.#calls.values()]
    return found.filter((finding) => !this.#allows(finding))
  }

  /** Ends the watch. Throws a LoopGateError if something was found. */
  async assert(): Promise<void> {
    const findings = await this.stop()
    if (findings.length > 0) throw new LoopGateError(findings)
  }

  #allows(finding: Finding): boolean {
    const text = `${finding.kind === 'sync' ? `${finding.function} ` : ''}${finding.at ?? ''}`
    return this.#allow.some((one) => (typeof one === 'string' ? text.includes(one) : new RegExp(one.source, one.flags.replace(/[gy]/g, '')).test(text)))
  }
}

function note(calls: Map<string, Finding & { kind: 'sync' }>, { function: name, at, stack }: SyncCall): void {
  const key = `${name} ${at}`
  const known = calls.get(key)
  if (known !== undefined) known.times++
  else if (calls.size < MOST_CALLS) calls.set(key, { kind: 'sync', function: name, times: 1, at, stack })
}

/**
 * The test `body` within a gate, as a function to give to a test runner: it gets the runner's arguments. It fails as `body` does, or
 * with a LoopGateError if that passes.
 */
export function gated<A extends unknown[], T>(body: (...args: A) => T | PromiseLike<T>, options: GateOptions = {}): (...args: A) => Promise<T> {
  const { length } = body
  // Some runners look at the number of parameters: with one more than they give, they wait for a callback.
  const test = async function (this: unknown, ...args: A): Promise<T> {
    const gate = new LoopGate(options)
    await gate.start()
    let result: T
    try {
      result = await body.apply(this, args)
    } catch (error) {
      await gate.stop()
      throw error
    }
    await gate.assert()
    return result
  }
  return Object.defineProperty(test, 'length', { value: length })
}
