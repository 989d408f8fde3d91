// The playground's page: the editor, the program's output and problems, and its timeline.
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { effect } from '@preact/signals'
import { language } from '../language.ts'
import { Timeline } from '../timeline/timeline.ts'
import { recordingNow } from './clock.ts'
import { verdict } from '../compare/Outputs.tsx'
import { TwoRuns } from '../compare/TwoRuns.tsx'
import { Beside } from './Beside.tsx'
import type { Comparison } from './comparison.ts'
import { Controls, steppers } from './Controls.tsx'
import { pythonNews } from './python-thread.ts'
import { Editor } from './editor.ts'
import type { Playground as Model } from './model.ts'
import { statusOf } from './status.ts'
import { Transport } from './Transport.tsx'
import { Troubles } from './Troubles.tsx'
import { WhyBeside } from '../panels/why.tsx'

export function Playground({ model }: { model: Model }) {
  void model.tick.value
  const editor = useRef<Editor | null>(null)
  const status = statusOf(model)
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent): void => onStepKey(model, event)
    addEventListener('keydown', onKey, true)
    return () => removeEventListener('keydown', onKey, true)
  }, [model])
  return (
    <div class="pg" onKeyDown={keepKeys}>
      <Controls model={model} />
      <Arrival model={model} />
      <p class={`pg-status ${status.kind}`} role="status">{status.text}</p>
      <div class="pg-panes">
        <section class="pg-pane pg-code" aria-label="Program">
          <EditorHost model={model} editor={editor} />
          <Troubles model={model} onGo={(line) => editor.current?.goTo(line)} />
        </section>
        <Beside model={model} onGo={(line) => editor.current?.goTo(line)} />
      </div>
      {model.comparison.value === null ? <TheTimeline model={model} /> : <Compared comparison={model.comparison.value} onClose={() => model.endComparison()} />}
    </div>
  )
}

function TheTimeline({ model }: { model: Model }) {
  void model.tick.value
  const run = model.run.value
  return (
    <section class="pg-pane pg-timeline" aria-label="Timeline of the run">
      <h2>Timeline</h2>
      {run === null
        ? <p class="soft">Press Run: each task becomes a lane here, drawn from the events of the loop in this page.</p>
        : <Transport recording={run.recording} position={model.cursor.value} onMove={(position) => { model.cursor.value = position }} />}
      <div class="lanes-and-why">
        <Lanes model={model} />
        {run !== null && <WhyBeside view={model.view} />}
      </div>
    </section>
  )
}

function Compared({ comparison: { sides, problem, over }, onClose }: { comparison: Comparison; onClose: () => void }) {
  const { same, text } = verdict(sides.value)
  return (
    <section class="pg-pane pg-timeline pg-compared" aria-label="Python and TypeScript on one time axis">
      <div class="pg-verdict">
        <p role="status" class={text === '' ? 'soft' : same && problem.value === '' ? 'good' : 'bad'}>
          {text === '' ? over.value ? '' : pythonNews.value ?? 'Both programs run …' : `${same ? '✓' : '≠'} ${text}`} {problem.value}
        </p>
        <button type="button" class="button" onClick={onClose}>Close the comparison</button>
      </div>
      <TwoRuns sides={sides.value} />
    </section>
  )
}

/** The keys of the steps, wherever the focus is. */
function onStepKey(model: Model, event: KeyboardEvent): void {
  const step = steppers(model).find(({ key }) => key === event.key)
  if (step === undefined || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return
  event.preventDefault()
  if (!step.disabled) model.step(step.goal)
}

/** The shell's keys do not apply here: a 1 in the program must not run an example on the server. */
function keepKeys(event: KeyboardEvent): void {
  const typing = event.target instanceof Element && event.target.shadowRoot !== null
  if (typing || !['?', 't', 'Escape'].includes(event.key)) event.stopPropagation()
}

function Arrival({ model }: { model: Model }) {
  const arrival = model.arrival.value
  if (arrival === null) return null
  return (
    <div class={`pg-arrival ${arrival.kind}`} role={arrival.kind === 'bad' ? 'alert' : 'note'}>
      <p>{arrival.text}</p>
      <button type="button" class="button" onClick={() => { model.arrival.value = null }}>Understood</button>
    </div>
  )
}

function EditorHost({ model, editor }: { model: Model; editor: { current: Editor | null } }) {
  const host = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const made = new Editor(host.current as HTMLDivElement, {
      code: model.code.value,
      language: language.value,
      onChange: (code) => model.edit(code),
      onRun: () => void model.start(),
      onBreakpoints: (lines) => { model.breakpoints.value = lines },
      completions: (code, position) => model.compiler.completions(code, position),
      hover: (code, position) => model.compiler.hover(code, position),
    })
    editor.current = made
    const ends = [
      effect(() => made.open(model.code.value, language.value)),
      effect(() => made.show(model.troubles.value)),
      effect(() => made.stand(model.stands.value)),
    ]
    return () => {
      for (const end of ends) end()
      editor.current = null
      made.destroy()
    }
  }, [model])
  return <div class="pg-editor" ref={host} />
}

function Lanes({ model }: { model: Model }) {
  const host = useRef<HTMLDivElement>(null)
  const run = model.run.value
  useEffect(() => {
    if (run === null) return
    const now = recordingNow(run)
    const { view } = model
    view.show(run.recording)
    view.clock = now
    const timeline = new Timeline(host.current as HTMLDivElement, {
      recording: run.recording, now, compact: true, label: 'Timeline of the program; the output and the list of tasks below show the same',
    })
    const restyle = (): void => timeline.restyle()
    addEventListener('loopscope:theme', restyle)
    const ends = [
      view.join(timeline), view.joinMoment(timeline),
      effect(() => {
        void model.tick.value
        // Until the reader zooms in, the whole run is in view.
        if (model.cursor.value === null) fit(timeline, run.recording.from, Math.max(now(), run.recording.to))
      }),
    ]
    const beat = setInterval(() => {
      if (run.state === 'running' && model.cursor.value === null) fit(timeline, run.recording.from, now())
    }, 100)
    return () => {
      clearInterval(beat)
      for (const end of ends) end()
      removeEventListener('loopscope:theme', restyle)
      timeline.destroy()
    }
  }, [run])
  return <div class="pg-lanes" hidden={run === null}><div ref={host} /></div>
}

function fit(timeline: Timeline, from: number, to: number): void {
  const pad = Math.max(0.002, (to - from) * 0.04)
  timeline.show(from - pad, to + pad, false)
}
