// The misconceptions, one after the other: the claim, the truth, a button that runs the experiment, and its figures.
import { useState } from 'preact/hooks'
import type { Session } from '../session.ts'
import { language } from '../language.ts'
import { pythonNews } from '../playground/python-thread.ts'
import { LanguageChoice } from '../shell/language-choice.tsx'
import { duration } from '../recording/explain.ts'
import type { Belief } from './beliefs.ts'
import type { Result } from './measure.ts'
import { SourceCode } from './SourceCode.tsx'

export function BeliefLesson({ session, belief }: { session: Session; belief: Belief }) {
  const [result, setResult] = useState<Result | null>(null)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  const run = async (): Promise<void> => {
    setBusy(true)
    setProblem('')
    try {
      setResult(await belief.run(session, language.value))
    } catch (error) {
      setProblem(error instanceof TypeError ? 'The server cannot be reached.' : error instanceof Error ? error.message : String(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <article class="lesson">
      <h2><span class="soft">Misconception:</span> “{belief.belief}”</h2>
      <p>{belief.truth}</p>
      {belief.program !== undefined && (
        <>
          <LanguageChoice />
          <div class="lesson-program"><SourceCode label="The program" source={belief.program[language.value]} marks={[]} /></div>
        </>
      )}
      <p class="lesson-buttons">
        <button type="button" class="button accent" disabled={busy} onClick={() => void run()}>{busy ? pythonNews.value ?? 'Measuring …' : result === null ? 'Try it' : 'Try it again'}</button>
        <button type="button" class="button" onClick={() => void belief.control.open(session, language.value)}>{belief.control.label}</button>
        <span class="soft">takes {belief.takes}</span>
      </p>
      {problem !== '' && <p role="alert" class="bad">✕ {problem}</p>}
      <div role="status">{result !== null && !busy && <Figures result={result} />}</div>
    </article>
  )
}

function Figures({ result: { figures, shown, says } }: { result: Result }) {
  const most = Math.max(...figures.map(({ seconds }) => seconds), 1e-6)
  return (
    <>
      <table class="figures">
        <caption class="hidden">Measured just now</caption>
        <tbody>
          {figures.map(({ what, seconds, surprising }, at) => (
            <tr key={at} class={surprising === true ? 'surprising' : ''}>
              <th scope="row">{what}</th>
              <td class="number">{duration(seconds)}</td>
              <td class="figure-bar" aria-hidden="true"><i style={{ width: `${Math.max(0.5, seconds / most * 100)}%` }} /></td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>{shown ? <b>{says}</b> : 'This time the figures do not show it. The machine may be busy: try it again.'}</p>
    </>
  )
}
