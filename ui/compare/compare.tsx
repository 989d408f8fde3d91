// Two runs on one time axis, both in virtual time: two examples, which show the cost of a second await and of a blocking call,
// or one example in both languages, which shows that the order is the same.
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { address, setAddress } from '../address.ts'
import { language, NAMES } from '../language.ts'
import { runExample } from '../lessons/run-example.ts'
import type { PanelContext } from '../panels.ts'
import { duration } from '../recording/explain.ts'
import type { Session } from '../session.ts'
import { LanguageChoice } from '../shell/language-choice.tsx'
import { Outputs, verdict } from './Outputs.tsx'
import { TwoRuns, type Side } from './TwoRuns.tsx'

const PAIRS = [
  { left: 2, right: 3, title: 'Compare 2 and 3', what: 'The same two waits. One after the other, they add up; in two tasks, they pass at the same time.' },
  { left: 3, right: 4, title: 'Compare 3 and 4', what: 'A waiting task yields to the others. A blocking task never yields: the others are ready, and are delayed.' },
  { left: 1, right: 2, title: 'Compare 1 and 2', what: 'One task, one wait; one task, two waits.' },
] as const
const EXAMPLES = [1, 2, 3, 4, 5]
/** How many items a producer of example 5 makes. */
const ITEMS = 2

/** Two examples in the reader's language, or one in both. */
type Wanted = { above: number; below: number } | { both: number }

function wanted(): Wanted {
  const numbers = (address.value.get('runs') ?? '').split('-').map(Number)
  const [one, other] = numbers
  if (one === undefined || !numbers.every((number) => EXAMPLES.includes(number))) return { above: 2, below: 3 }
  return other === undefined ? { both: one } : { above: one, below: other }
}

export function ComparePage({ session }: PanelContext) {
  const sides = useSignal<[Side, Side]>([{ title: '', recording: null }, { title: '', recording: null }])
  const problem = useSignal('')
  const shown = wanted()
  const what = 'both' in shown ? `${shown.both}` : `${shown.above}-${shown.below}`
  const chosen = language.value
  useEffect(() => {
    let current = true
    const both = 'both' in shown
    const parts = both
      ? (['python', 'typescript'] as const).map((one) => ({ title: NAMES[one], number: shown.both, language: one }))
      : [shown.above, shown.below].map((number) => ({ title: `Example ${number}`, number, language: chosen }))
    sides.value = parts.map(({ title }) => ({ title, recording: null })) as [Side, Side]
    problem.value = ''
    parts.forEach(({ number, language: one }, at) => {
      // Both sides of one example are run in this page, in the same way.
      runExample(session, number, one, ITEMS, both).then((recording) => {
        if (!current) return
        sides.value = sides.value.map((side, which) => which === at ? { ...side, recording } : side) as [Side, Side]
      }, (error: unknown) => {
        if (current) problem.value = error instanceof Error ? error.message : String(error)
      })
    })
    return () => { current = false }
  }, [session, what, 'both' in shown ? '' : chosen])
  useEffect(() => void session.loadExamples(), [session])
  const choose = (runs: string): void => setAddress({ runs })
  const first = 'both' in shown ? shown.both : shown.above
  return (
    <div class="compare">
      <div class="toolbar" role="toolbar" aria-label="Which two">
        <div class="group">
          {PAIRS.map(({ left, right, title }) => (
            <button key={title} type="button" class={`button ${what === `${left}-${right}` ? 'accent' : ''}`} onClick={() => choose(`${left}-${right}`)}>{title}</button>
          ))}
          <button type="button" class={`button ${'both' in shown ? 'accent' : ''}`} onClick={() => choose(String(first))}>Compare Python and TypeScript</button>
        </div>
        {'both' in shown
          ? <Example session={session} label="example" number={shown.both} onChoose={(number) => choose(String(number))} />
          : (
            <>
              <Example session={session} label="above" number={shown.above} onChoose={(number) => choose(`${number}-${shown.below}`)} />
              <Example session={session} label="below" number={shown.below} onChoose={(number) => choose(`${shown.above}-${number}`)} />
              <LanguageChoice />
            </>
          )}
      </div>
      {problem.value !== '' && <p class="compare-words bad" role="alert">✕ {problem.value}</p>}
      <p class="compare-words" role="status">{'both' in shown ? verdict(sides.value).text : words(sides.value, shown)}</p>
      <TwoRuns sides={sides.value} />
      {'both' in shown && <Outputs sides={sides.value} />}
    </div>
  )
}

function Example({ session, label, number, onChoose }: PanelContext & { label: string; number: number; onChoose: (number: number) => void }) {
  return (
    <label class="group">
      <span class="soft">{label}</span>
      <select value={String(number)} onChange={({ currentTarget }) => onChoose(Number(currentTarget.value))}>
        {EXAMPLES.map((n) => <option key={n} value={String(n)}>{`${n} ${titleOf(session, n)}`}</option>)}
      </select>
    </label>
  )
}

function titleOf(session: Session, number: number): string {
  return session.examples.value?.find((example) => example.number === number)?.title ?? ''
}

function words(sides: readonly [Side, Side], { above, below }: { above: number; below: number }): string {
  const pair = PAIRS.find(({ left, right }) => left === above && right === below)
  const [a, b] = sides.map(({ recording }) => recording === null ? null : recording.to - recording.zero)
  if (a == null || b == null) return pair?.what ?? ''
  const difference = Math.abs(a - b) < 1e-6 ? 'Both take the same time.' : `The ${a < b ? 'upper' : 'lower'} run ends ${duration(Math.abs(a - b))} earlier.`
  return `${pair?.what ?? ''} ${difference}`.trim()
}
