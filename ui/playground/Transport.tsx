// Moves through a recording, event by event or with a slider. The chosen moment applies to all parts of the page.
import type { Position, Recording } from '../recording.ts'

export interface TransportProps {
  recording: Recording
  /** null: the end of the recording. */
  position: Position | null
  onMove: (position: Position | null) => void
}

export function Transport({ recording, position, onMove }: TransportProps) {
  const { from, to } = recording
  const at = position ?? { t: to, seq: recording.lastSeq }
  const step = (count: number): void => onMove(recording.step(at, count))
  return (
    <div class="transport" role="group" aria-label="The moment that is shown">
      <button type="button" class="button" onClick={() => step(-1)} disabled={recording.empty}>◀ <span>step back</span></button>
      <button type="button" class="button" onClick={() => step(1)} disabled={recording.empty || position === null}><span>step</span> ▶</button>
      <input
        type="range" aria-label="Time in the run" min={from} max={Math.max(to, from + 1e-6)} step="any" value={at.t}
        aria-valuetext={`${(at.t - recording.zero).toFixed(3)} seconds`}
        onInput={({ currentTarget }) => onMove(recording.positionAt(Number(currentTarget.value)))}
      />
      <output class="pg-time">{(at.t - recording.zero).toFixed(3)} s</output>
      <button type="button" class="button" onClick={() => onMove(null)} disabled={position === null}>to the end</button>
    </div>
  )
}
