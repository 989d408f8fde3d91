// The printed lines with their times, and the runs that printed them.
import type { PanelContext } from '../panels.ts'
import { duration, moment } from '../recording/time.ts'
import { Moment, TaskLink } from './parts.tsx'

const MOST_LINES = 300

export function OutputPanel({ session }: PanelContext) {
  void session.tick.value
  const recording = session.recording.value
  const { position, time } = session
  const { run: only } = session.filter.value
  const lines = recording.lines.filter(({ t, seq, run }) => t <= time && seq <= position.seq && (only === null || run === only)).slice(-MOST_LINES)
  if (lines.length === 0) return <p class="panel-empty">Nothing has been printed yet. {session.can('examples') === true ? <>Run an example: key <kbd>1</kbd> to <kbd>5</kbd>.</> : <>What tasks print with loopscope’s <code>print</code> is shown here.</>}</p>
  return (
    <ol class="output" aria-label="Printed lines">
      {lines.map(({ t, seq, task, run, text }) => {
        const from = recording.runs.get(run ?? 0)?.from
        return (
          <li key={seq}>
            <Moment session={session} t={t} seq={seq} />
            <span class="soft since">{from === undefined ? '' : `+${moment(t - from)}`}</span>
            <span class="soft who">{run !== undefined && `run ${run} · `}<TaskLink session={session} task={task ?? null} /></span>
            <span class="text">{text}</span>
          </li>
        )
      })}
    </ol>
  )
}

export function RunsPanel({ session }: PanelContext) {
  void session.tick.value
  const recording = session.recording.value
  const runs = [...recording.runs.values()].reverse().slice(0, 100)
  if (runs.length === 0) return <p class="panel-empty">No example has run yet. <button type="button" class="button accent" onClick={() => void session.start(3)}>▶ Run example 3</button></p>
  const titles = new Map((session.examples.value ?? []).map(({ number, title }) => [number, title]))
  return (
    <table class="grid">
      <thead><tr><th scope="col" class="number">Run</th><th scope="col">Example</th><th scope="col">Parameters</th><th scope="col">Outcome</th><th scope="col" class="number">took</th><th scope="col">from</th><th scope="col"><span class="hidden">Actions</span></th></tr></thead>
      <tbody>
        {runs.map(({ id, example, parameters, from, to, outcome, partial }) => (
          <tr key={id}>
            <td class="number"><button type="button" class="link-button" onClick={() => void session.showRun(id)}>{id}</button></td>
            <td>{example} <span class="soft">{titles.get(example) ?? ''}</span></td>
            <td class="mono soft">{Object.entries(parameters).filter(([name, value]) => !(name === 'speed' && value === 1) && !(name === 'clock' && value === 'real')).map(([name, value]) => `${name}=${value}`).join(' ')}</td>
            <td>{to === null ? '▶ running' : outcome === 'returned' ? '✓ returned' : outcome === 'raised' ? <span class="bad">✕ raised</span> : '⊘ cancelled'}</td>
            <td class="number" title={partial ? 'Its beginning is not in this recording' : undefined}>{partial ? 'over ' : ''}{duration((to ?? session.now()) - from)}</td>
            <td><Moment session={session} t={from} /></td>
            <td class="actions">
              {to === null
                ? <button type="button" class="small-button" onClick={() => session.cancelRun(id)}>Cancel</button>
                : <a class="link-button" href={session.api.trace(id).href} download={`run-${id}.trace.json`}>trace</a>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
