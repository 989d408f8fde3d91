// In debug mode, garbage is collected a second after something may have been dropped. Otherwise what is reported at its
// collection (failures that were never looked at, coroutines that were never awaited) would be reported only when memory is
// needed, minutes later in a program that does little.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** How long a new coroutine or future may take to be awaited. */
const DELAY_MS = 1000
/** After a collection that took a while, the next follows after at least this many times as long. */
const PAUSES = 20

const wanted = new Set<ReadonlySet<object>>()
let timer: NodeJS.Timeout | null = null
let notBefore = 0
let collect: (() => void) | null = null

/** Collects garbage soon, if `left` is then not empty. */
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
    // Not on this engine: it decides itself when to collect.
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
