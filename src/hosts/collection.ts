// Debug mode has garbage collected a second after something that may have been dropped: what is reported when it is collected
// (failures that nobody looked at, coroutines that were never awaited) would else be so when the memory is needed, minutes later
// in a program that does little.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** How long what was made may take to be awaited. */
const DELAY_MS = 1000
/** A collection that took a while is followed by at least this many times as long without one. */
const PAUSES = 20

const wanted = new Set<ReadonlySet<object>>()
let timer: NodeJS.Timeout | null = null
let notBefore = 0
let collect: (() => void) | null = null

/** Have garbage collected soon, if `left` holds anything then. */
export function collectSoon(left: ReadonlySet<object>): void {
  wanted.add(left)
  timer ??= setTimeout(run, Math.max(DELAY_MS, notBefore - performance.now())).unref()
}

function run(): void {
  timer = null
  const useful = [...wanted].some(({ size }) => size > 0)
  wanted.clear()
  if (!useful) return
  const began = performance.now()
  try {
    collect ??= collector()
    collect()
  } catch {
    // Not on this engine: it collects when it wants to.
  }
  const ended = performance.now()
  notBefore = ended + PAUSES * (ended - began)
}

function collector(): () => void {
  if (typeof globalThis.gc === 'function') return () => void globalThis.gc?.()
  setFlagsFromString('--expose-gc')
  try {
    return runInNewContext('gc') as () => void
  } finally {
    setFlagsFromString('--no-expose-gc')
  }
}
