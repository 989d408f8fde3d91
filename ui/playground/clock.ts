// An estimate of the time on a program's clock now. In virtual time, it is the time of the last event plus the length of a
// current stall. In real time, it continues while the program runs.
import type { ProgramRun } from './program-run.ts'

export function recordingNow(run: ProgramRun): () => number {
  let last = -1
  let seenAt = 0
  return () => {
    const { recording } = run
    const { open } = recording.stalls
    if (run.clock === 'virtual' || run.state !== 'running') return open === null ? recording.to : Math.max(recording.to, open.from + open.seconds)
    if (recording.lastSeq !== last) {
      last = recording.lastSeq
      seenAt = performance.now()
    }
    return recording.empty ? recording.to : recording.to + (performance.now() - seenAt) / 1000
  }
}
