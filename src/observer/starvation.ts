// For how long the main thread was ready to run and got no processor: then it does not come back either, and yet nothing
// blocks it. Linux tells; where nobody does, it is taken for nothing.
import { closeSync, openSync, readSync } from 'node:fs'

const buffer = Buffer.alloc(128)
let file: number | null | undefined

/** Seconds that the process's main thread has waited for a processor, in all. May be asked from any thread. */
export function waitedForProcessor(): number {
  if (file === undefined) {
    try {
      file = openSync(`/proc/${process.pid}/task/${process.pid}/schedstat`, 'r')
    } catch {
      file = null
    }
  }
  if (file === null) return 0
  try {
    const length = readSync(file, buffer, 0, buffer.length, 0)
    const waited = Number(buffer.toString('latin1', 0, length).split(' ')[1])
    return Number.isFinite(waited) ? waited / 1e9 : 0
  } catch {
    closeSync(file)
    file = null
    return 0
  }
}
