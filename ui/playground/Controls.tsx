// Controls: the example to begin with, the clock, and the buttons.
import { useState } from 'preact/hooks'
import { language, NAMES, otherThan } from '../language.ts'
import { LanguageChoice } from '../shell/language-choice.tsx'
import { starters } from './examples.ts'
import type { Playground } from './model.ts'
import type { Goal } from './program-run.ts'

interface Stepper {
  goal: Goal
  name: string
  /** As in `KeyboardEvent.key`. */
  key?: string
  title: string
  disabled: boolean
}

/** The ways to go on from a stop. */
export function steppers({ run, clock }: Playground): Stepper[] {
  const stop = run.value?.stop ?? null
  if (language.value === 'python' || (clock.value !== 'virtual' && stop === null)) return []
  return [
    { goal: 'line', name: 'Step', key: 'F10', title: 'To the next line of any task; starts the program if it does not run', disabled: false },
    { goal: 'task', name: 'Step in this task', title: 'To the next line of the same task', disabled: stop === null || stop.task === null },
    { goal: 'breakpoint', name: 'Continue', key: 'F8', title: 'To the next breakpoint, or to the end', disabled: stop === null },
  ]
}

export function Controls({ model }: { model: Playground }) {
  void model.tick.value
  const run = model.run.value
  const going = model.preparing.value || (run !== null && run.state !== 'ended')
  const virtual = model.clock.value === 'virtual'
  return (
    <div class="pg-controls" role="toolbar" aria-label="Playground">
      <LanguageChoice />
      <label>Start from
        <select onChange={({ currentTarget }) => { model.startWith(Number(currentTarget.value)) }} value={starterOf(model)}>
          {starterOf(model) === '' && <option value="">your program</option>}
          {starters.map(({ number, title }) => <option key={number} value={String(number)}>{number} · {title}</option>)}
        </select>
      </label>
      <fieldset class="radios">
        <legend class="hidden">Clock</legend>
        {(['virtual', 'real'] as const).map((clock) => (
          <label key={clock}>
            <input type="radio" name="playground-clock" checked={model.clock.value === clock} onChange={() => { model.clock.value = clock; model.settle() }} />
            {clock} time
          </label>
        ))}
      </fieldset>
      {virtual && (
        <label title="In virtual time, a program without an end would print without end">until
          <input
            class="pg-number" type="number" min="0.001" max="1000000" step="any" value={model.until.value}
            onChange={({ currentTarget }) => {
              const value = Number(currentTarget.value)
              if (value > 0 && value <= 1e6) model.until.value = value
              currentTarget.value = String(model.until.value)
              model.settle()
            }}
          /> s
        </label>
      )}
      <button type="button" class="button accent" onClick={() => void model.start()} aria-keyshortcuts="Control+Enter">{going ? 'Run again' : 'Run'}</button>
      <button type="button" class="button" onClick={() => model.stop()} disabled={!going}>Stop</button>
      {steppers(model).map(({ goal, name, key, title, disabled }) => (
        // Not `disabled`: a button that has the focus would lose it.
        <button
          key={goal} type="button" class="button" title={key === undefined ? title : `${title} (${key})`} aria-keyshortcuts={key}
          aria-disabled={disabled} onClick={() => { if (!disabled) model.step(goal) }}
        >{name}</button>
      ))}
      <button type="button" class="button" onClick={() => model.compare()}>Compare with {NAMES[otherThan(language.value)]}</button>
      <Link model={model} />
    </div>
  )
}

/** The number of the example that the program still equals. */
function starterOf(model: Playground): string {
  return String(starters.find(({ code }) => code[language.value] === model.code.value)?.number ?? '')
}

function Link({ model }: { model: Playground }) {
  const [said, say] = useState('')
  const copy = async (): Promise<void> => {
    const link = await model.link()
    if (link === null) say('too long for a link')
    else {
      try {
        await navigator.clipboard.writeText(link)
        say('copied')
      } catch {
        say('it is in the address bar')
      }
    }
    setTimeout(() => say(''), 3000)
  }
  return (
    <>
      <button type="button" class="button" onClick={() => void copy()}>Copy link</button>
      <span class="soft" role="status">{said}</span>
    </>
  )
}
