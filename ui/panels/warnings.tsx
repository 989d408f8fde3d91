// The warnings of the stream: slow steps, deadlocks, backlogs, forgotten coroutines.
import type { PanelContext } from '../panels.ts'
import type { Warning } from '../recording.ts'
import { AMBER, RED, slowStep } from '../../src/events/stalls.ts'
import { Moment, TaskLink } from './parts.tsx'

const MOST_ROWS = 200

/** The stream's own warnings; without any, the slow steps on the lanes. */
export function warningsOf({ session }: PanelContext): Pick<Warning, 't' | 'kind' | 'level' | 'task' | 'message'>[] {
  const recording = session.recording.value
  const { time } = session
  const warnings = recording.warnings.filter(({ t }) => t <= time)
  if (warnings.length > 0) return warnings
  return recording.stalls.all.filter((stall) => stall.to !== null && stall.from <= time && stall.to - stall.from >= AMBER).map((stall) => ({
    t: stall.to as number, kind: 'slow-step', level: (stall.to as number) - stall.from >= RED ? 'red' : 'amber', task: stall.task ?? undefined,
    message: slowStep(stall.name, (stall.to as number) - stall.from),
  }))
}

const TITLES: Record<string, string> = {
  'slow-step': 'slow step', 'long-running': 'never yields', 'await-cycle': 'deadlock (cycle of awaits)', 'never-woken': 'nothing can wake it',
  'never-awaited': 'never awaited', 'never-retrieved': 'error never retrieved', 'sensitive-backlog': 'sync thread has a backlog', 'queue-full': 'queue is full',
}

export function WarningsPanel(context: PanelContext) {
  const { session } = context
  void session.tick.value
  const warnings = warningsOf(context).slice(-MOST_ROWS).reverse()
  if (warnings.length === 0) return <p class="panel-empty">No warnings: no slow step, no deadlock, no full queue, no forgotten coroutine.</p>
  return (
    <table class="grid">
      <thead><tr><th scope="col">at</th><th scope="col">Warning</th><th scope="col">What</th><th scope="col">Task</th></tr></thead>
      <tbody>
        {warnings.map((warning, at) => (
          <tr key={at}>
            <td><Moment session={session} t={warning.t} /></td>
            <td><span class={`level ${warning.level}`}><span aria-hidden="true">{warning.level === 'red' ? '▰' : '▱'}</span> {TITLES[warning.kind] ?? warning.kind}</span></td>
            <td class="wrap">{warning.message}</td>
            <td>{warning.task !== undefined && <TaskLink session={session} task={warning.task} />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
