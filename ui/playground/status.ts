// The state of the program, in one sentence.
import { taskOf, type Playground } from './model.ts'
import { language } from '../language.ts'
import { PYTHON_FILE, pythonFailed, pythonNews } from './python-thread.ts'
import { deadlock } from '../recording/deadlock.ts'
import type { Stop } from './messages.ts'
import { MOST_LANES, type Ending, type Held, type ProgramRun } from './program-run.ts'

export interface Status {
  kind: 'idle' | 'busy' | 'good' | 'bad' | 'held' | 'stopped'
  text: string
}

export function statusOf(model: Playground): Status {
  const status = stateOf(model)
  return model.run.value === null ? status : { ...status, text: `${status.text}${leftOut(model.run.value)}` }
}

/** What the page left out of the program's messages. */
function leftOut({ refused, recording: { lanes: { crowdedOut } } }: ProgramRun): string {
  return [
    refused === 0 ? '' : ` ${number(refused)} of its messages were not events, or were too large; they are left out.`,
    crowdedOut === 0 ? '' : ` It has more than ${number(MOST_LANES)} tasks; the first ${number(crowdedOut)} are left out.`,
  ].join('')
}

function number(value: number): string {
  return value.toLocaleString('en-US')
}

function stateOf(model: Playground): Status {
  const run = model.run.value
  if (model.said.value !== '') return { kind: 'bad', text: model.said.value }
  if (model.preparing.value) return { kind: 'busy', text: busyOf(model) }
  if (run === null && language.value === 'python') {
    if (pythonNews.value !== null) return { kind: pythonFailed.value ? 'bad' : 'busy', text: pythonNews.value }
    return { kind: 'idle', text: 'CPython 3.14 is ready. Press Run, or Control and Enter in the editor.' }
  }
  if (run === null) return { kind: 'idle', text: 'Ready. Press Run, or Control and Enter in the editor.' }
  const { recording } = run
  if (run.state !== 'ended') {
    if (run.stop !== null) return { kind: 'stopped', text: stopOf(run, run.stop) }
    if (run.held !== null) {
      return { kind: 'held', text: `Stalled: ${sentence(run.held, 'has blocked')}, and nothing else can run. The program is ended after ${model.patience} s; Stop ends it now.` }
    }
    const stuck = run.idle ? deadlock(recording) : null
    if (stuck !== null) {
      return { kind: 'held', text: `Deadlock: ${stuck} No timer is set, and no task waits for anything outside the loop, so no task can wake another. Only a callback of the browser that no task awaits still could.` }
    }
    const alive = recording.lanes.tasks.size
    return { kind: 'busy', text: `Running: ${alive} ${alive === 1 ? 'task' : 'tasks'} alive.` }
  }
  return endOf(run.ending as Ending, `${(recording.to - recording.zero).toFixed(3)} s`, run.clock)
}

function busyOf(model: Playground): string {
  if (language.value === 'python') return pythonNews.value ?? 'Starting …'
  return model.checking.value ? 'TypeScript checks the program …' : 'Starting …'
}

function stopOf(run: ProgramRun, { line, missed, stack: [innermost] }: Stop): string {
  const where = innermost === undefined || innermost.function === '' ? '' : ` in ${innermost.function}`
  const more = missed === 0 ? '' : ` ${number(missed)} lines before it ran without a stop: one step of a task was too long.`
  return `Stopped before line ${line}${where}: ${taskOf(run)}, at ${(run.recording.to - run.recording.zero).toFixed(3)} s.${more}`
}

function endOf({ outcome, failure, note, held }: Ending, time: string, clock: string): Status {
  const more = note === null ? '' : ` ${note}`
  if (held !== null) return { kind: 'held', text: `A stall: ${sentence(held, 'blocked')}. No other task could run, so its thread was ended.${more}` }
  switch (outcome) {
    case 'returned': return { kind: 'good', text: `It ended after ${time}${clock === 'virtual' ? ' of virtual time' : ''}.${more}` }
    case 'raised': return { kind: 'bad', text: `It failed after ${time}: ${failure?.text ?? 'an error'}${placeOf(failure?.stack)}.${more}` }
    case 'cancelled': return { kind: 'idle', text: `It was cancelled after ${time}.${more}` }
    case 'ended': return { kind: 'idle', text: `Its thread was ended after ${time}.${more}` }
  }
}

function sentence({ task, seconds, place }: Held, verb: 'has blocked' | 'blocked'): string {
  const what = task ?? (place === null ? 'something' : 'the program, outside of any task,')
  const where = place === null ? '' : `, in line ${place.line}${place.function === '' ? '' : ` (${place.function})`}`
  return `${what} ${verb} the loop for ${seconds.toFixed(1)} s${where}`
}

function placeOf(stack: readonly { file: string; line: number }[] | undefined): string {
  const [first] = stack ?? []
  return first === undefined ? '' : `, in line ${first.line}${first.file === 'program.ts' || first.file === PYTHON_FILE ? '' : ` of ${first.file}`}`
}
