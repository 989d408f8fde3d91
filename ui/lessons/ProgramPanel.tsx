// The program behind the lanes: both of its sources, the current line of each task, and the printed lines.
import { useEffect, useState } from 'preact/hooks'
import { setAddress } from '../address.ts'
import type { PanelContext } from '../panels.ts'
import { isExampleFile, loadExamples, useExample } from './example.ts'
import { SourceCode, type LineMark } from './SourceCode.tsx'
import { twinLines } from './source.ts'
import { standing } from './standing.ts'

const MOST_LINES = 200

export function ProgramPanel({ session }: PanelContext) {
  void session.tick.value
  const run = session.example.value
  const [chosen, choose] = useState<number | null>(null)
  const number = run?.example ?? chosen ?? 1
  const example = useExample(session, number)
  const { value: list } = session.examples
  useEffect(() => loadExamples(session), [session, list])
  if (typeof example === 'string') return <p class="panel-empty">{example}</p>
  if (example === null) return <p class="panel-empty">Loading …</p>
  const recording = session.recording.value
  const marks: LineMark[] = run === null ? [] : standing(recording, session.position, (path) => isExampleFile(path, number), run.id, session.time)
  const twins = twinLines(example.typescript, example.python)
  const pythonMarks = marks.flatMap((mark) => {
    const line = twins.get(mark.line)
    return line === undefined ? [] : [{ ...mark, line }]
  })
  return (
    <div class="program">
      <div class="program-head">
        {run === null
          ? (
            <label class="soft">Example <select value={String(number)} onChange={({ currentTarget }) => choose(Number(currentTarget.value))}>
              {(session.examples.value ?? []).map(({ number: n, title }) => <option key={n} value={String(n)}>{n} · {title}</option>)}
            </select></label>
          )
          : <b>Example {number} · {example.title} <span class="soft">run {run.id}</span></b>}
        <span class="program-look soft" title={example.lookFor}>{example.lookFor}</span>
        <button type="button" class="button accent" onClick={() => void session.start(number)}>▶ Run</button>
        <button type="button" class="button" onClick={() => setAddress({ view: 'playground', start: String(number), program: null }, true)}>Change it in the playground</button>
      </div>
      <div class="program-sources">
        <section aria-label="Python">
          <h3>Python</h3>
          <SourceCode label="Python source" source={example.python} marks={pythonMarks} />
        </section>
        <section aria-label="TypeScript">
          <h3>TypeScript</h3>
          <SourceCode label="TypeScript source" source={example.typescript} marks={marks} />
        </section>
        <section aria-label="Output">
          <h3>Output</h3>
          {run === null ? <p class="soft">Run it, and its lines come here, each with its time.</p> : <RunLines session={session} run={run.id} from={run.from} />}
        </section>
      </div>
    </div>
  )
}

function RunLines({ session, run, from }: PanelContext & { run: number; from: number }) {
  // Preact skips this component unless it reads the signal itself.
  void session.tick.value
  const { position, time } = session
  const lines = session.recording.value.lines.filter((line) => line.run === run && line.t <= time && line.seq <= position.seq).slice(-MOST_LINES)
  if (lines.length === 0) return <p class="soft">Nothing printed yet.</p>
  return (
    <ol class="program-output">
      {lines.map(({ seq, t, task, text }) => (
        <li key={seq}>
          <button type="button" class="link-button plain" title="Look at this moment" onClick={() => { session.cursor.value = { t, seq } }}>{(t - from).toFixed(3)} s</button>
          {' '}<span class="soft">{session.recording.value.lanes.get(task ?? 0)?.name ?? ''}</span> <span class="program-text">{text}</span>
        </li>
      ))}
    </ol>
  )
}
