// What a run printed: the time, the task and the text of each line. Everything is inserted as text.
import type { Position } from '../recording.ts'
import type { ProgramRun } from './program-run.ts'

/** The most lines that are drawn: the last ones. */
const MOST_DRAWN = 500

export interface OutputProps {
  run: ProgramRun | null
  /** Lines after this moment are shown as later. */
  position: Position | null
}

interface Shown {
  key: string
  time: string
  who: string
  text: string
  later: boolean
}

export function Output({ run, position }: OutputProps) {
  if (run === null) return <p class="soft">The output of the program appears here, with the time on its clock.</p>
  const { recording } = run
  const left = Math.max(0, recording.lines.length - MOST_DRAWN)
  const lines = shown(run, position, left)
  return (
    <>
      {left > 0 && <p class="soft">{left} earlier lines are not shown.</p>}
      {lines.length === 0 && <p class="soft">{recording.empty ? 'Nothing yet.' : 'Nothing was printed.'}</p>}
      <ol class="pg-lines">
        {lines.map(({ key, time, who, text, later }) => (
          <li key={key} class={later ? 'later' : ''}>
            <span class="pg-time">{time}</span> <span class="pg-who soft">{who}</span> <span class="pg-text">{text}</span>
          </li>
        ))}
      </ol>
    </>
  )
}

/** The lines from number `from` on, with the lines between them that were printed outside of any loop. */
function shown({ recording, loose }: ProgramRun, position: Position | null, from: number): Shown[] {
  const result: Shown[] = []
  let next = loose.findIndex(({ after }) => after >= from)
  const addLoose = (before: number): void => {
    for (let line = next < 0 ? undefined : loose[next]; line !== undefined && line.after <= before; line = loose[++next]) {
      result.push({ key: `l${next}`, time: '', who: '', text: line.text, later: false })
    }
  }
  recording.lines.slice(from).forEach(({ t, seq, task, text }, at) => {
    addLoose(from + at)
    result.push({
      key: String(seq), time: `${(t - recording.zero).toFixed(3)} s`, who: recording.lanes.get(task ?? 0)?.name ?? '', text,
      later: position !== null && seq > position.seq,
    })
  })
  addLoose(Infinity)
  return result
}
