// The output of two runs of the same program, line by line, and a sentence that says whether they are the same.
import type { LoopEvent } from '../../src/events/schema.ts'
import type { Line, Recording } from '../recording.ts'
import { moment } from '../recording/time.ts'
import { eventsOf, firstEvents, lines, type LinePair } from './difference.ts'
import type { Side } from './TwoRuns.tsx'

/** The most lines that are drawn. */
const MOST_DRAWN = 500

export function Outputs({ sides: [left, right] }: { sides: readonly [Side, Side] }) {
  const [one, other] = [left.recording, right.recording]
  if (one === null || other === null) return null
  const pairs = lines(one, other)
  const first = pairs.findIndex(({ same }) => !same)
  // The first difference is always in view.
  const from = Math.max(0, Math.min(first < 0 ? 0 : first - 10, pairs.length - MOST_DRAWN))
  return (
    <div class="outputs">
      {from > 0 && <p class="soft">{from} earlier lines, which are the same, are not shown.</p>}
      {pairs.length === 0 ? <p class="soft">Neither printed anything.</p> : (
        <table aria-label="Printed lines of both">
          <thead><tr><th scope="col">{left.title}</th><th scope="col">{right.title}</th></tr></thead>
          <tbody>
            {pairs.slice(from, from + MOST_DRAWN).map((pair, at) => <Row key={from + at} pair={pair} zeros={[one.zero, other.zero]} first={from + at === first} />)}
          </tbody>
        </table>
      )}
      {pairs.length > from + MOST_DRAWN && <p class="soft">{pairs.length - from - MOST_DRAWN} later lines are not shown.</p>}
    </div>
  )
}

function Row({ pair: { left, right, same }, zeros, first }: { pair: LinePair; zeros: [number, number]; first: boolean }) {
  return (
    <tr class={same ? '' : first ? 'differs first' : 'differs'}>
      <td>{!same && <><span aria-hidden="true">≠ </span><span class="hidden">{first ? 'The first difference. ' : 'Differs. '}</span></>}<Printed line={left} zero={zeros[0]} /></td>
      <td><Printed line={right} zero={zeros[1]} /></td>
    </tr>
  )
}

function Printed({ line, zero }: { line: Line | null; zero: number }) {
  if (line === null) return <span class="soft">nothing</span>
  return <><span class="outputs-time">{(line.t - zero).toFixed(3)} s</span> {line.text}</>
}

/** Whether two runs are the same, in a sentence; the first difference otherwise. */
export function verdict([left, right]: readonly [Side, Side]): { same: boolean; text: string } {
  const [one, other] = [left.recording, right.recording]
  if (one === null || other === null) return { same: true, text: '' }
  const pairs = lines(one, other)
  const line = pairs.findIndex(({ same }) => !same)
  const event = firstEvents(one, other)
  const printed = line < 0
    ? `Both print the same${pairs.length === 1 ? ' line' : ` ${pairs.length} lines`} at the same ${pairs.length === 1 ? 'time' : 'times'}`
    : `The outputs differ from line ${line + 1} on`
  if (event === null) return { same: line < 0, text: `${printed}${line < 0 ? ', and' : ';'} all ${eventsOf(one).length} events of the loop are the same.` }
  return {
    same: false,
    text: `${printed}${line < 0 ? ', but the events are not the same' : ''}. The first events that differ: ${eventText(event.left, one)} in ${left.title}; ${eventText(event.right, other)} in ${right.title}.`,
  }
}

function eventText(event: LoopEvent | null, recording: Recording): string {
  if (event === null) return 'no further event'
  const task = 'task' in event && event.task !== undefined ? ` of ${recording.lanes.get(event.task)?.name ?? `task ${event.task}`}` : ''
  const what = event.type === 'task.suspended' ? `, waiting for ${event.on.kind}` : event.type === 'task.finished' ? `, ${event.outcome}` : ''
  return `${event.type}${task}${what} at ${moment(event.t - recording.zero)}`
}
