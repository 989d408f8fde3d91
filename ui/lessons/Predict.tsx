// One example as a riddle: its source, its lines to put in order with the moment of each, and then the run, which shows what
// was right.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Language } from '../language.ts'
import type { Session } from '../session.ts'
import type { Position, Recording } from '../recording.ts'
import { View } from '../session/view.ts'
import { WhyBeside } from '../panels/why.tsx'
import { Timeline } from '../timeline/timeline.ts'
import { PYTHON_FILE, pythonNews } from '../playground/python-thread.ts'
import { LanguageChoice } from '../shell/language-choice.tsx'
import { Transport } from '../playground/Transport.tsx'
import { isExampleFile, useExample } from './example.ts'
import { Guess } from './Guess.tsx'
import { runExample } from './run-example.ts'
import { asksWhen, judge, shuffled, type Guessed, type Verdict } from './predict.ts'
import { SourceCode } from './SourceCode.tsx'
import { standing } from './standing.ts'

/** How many items a producer of example 5 makes. */
const ITEMS = 1
/** Seconds that the replay of the run takes, whatever its clock. */
const PLAY = 5
/** The most lines to put in order. */
const MOST_LINES = 100

/** `chosen`: the language of the program. */
export function Predict({ session, number, chosen }: { session: Session; number: number; chosen: Language }) {
  const example = useExample(session, number)
  const [recording, setRecording] = useState<Recording | null>(null)
  const [problem, setProblem] = useState('')
  const [guess, setGuess] = useState<Guessed[]>([])
  const attempts = useRef(0)
  const [revealed, setRevealed] = useState(false)
  const view = useMemo(() => new View(), [])
  const position = view.cursor.value
  const begin = (made: Recording): void => {
    setRecording(made)
    // Each attempt begins with another order.
    const seed = number * 100 + attempts.current++
    setGuess(shuffled(made.lines.slice(0, MOST_LINES).map(({ text }) => text), seed).map((text) => ({ text, second: null })))
    setRevealed(false)
    view.show(made)
    view.cursor.value = null
  }
  useEffect(() => {
    let current = true
    runExample(session, number, chosen, ITEMS).then((made) => {
      if (current) begin(made)
    }, (error: unknown) => {
      if (current) setProblem(error instanceof Error ? error.message : String(error))
    })
    return () => { current = false }
  }, [session, number, chosen])

  if (typeof example === 'string' || problem !== '') return <p class="panel-empty">{problem === '' ? example as string : problem}</p>
  if (example === null || recording === null) return <p class="panel-empty">{pythonNews.value ?? 'Loading …'}</p>
  const verdicts = revealed ? judge(recording, guess) : []
  const when = asksWhen(recording, recording.lines.slice(0, guess.length))
  const marks = revealed ? standing(recording, position ?? { t: recording.from, seq: 0 }, (path) => isExampleFile(path, number) || path === PYTHON_FILE) : []
  return (
    <article class="lesson">
      <h2>What comes first? <span class="soft">Example {number} · {example.title}</span></h2>
      <LanguageChoice />
      <p class="soft">
        Put the lines into the order in which the program prints them{when && ', and say in which second it prints each, counted from its start'}.
        {!when && ' The pauses are random, so only the order is asked for.'} Then see it run, in virtual time.
      </p>
      <div class="predict">
        <div>
          <SourceCode label="The program" source={example[chosen]} marks={marks} />
          {revealed && <Play recording={recording} view={view} />}
        </div>
        <div>
          {revealed
            ? (
              <>
                <p class="predict-score" role="status">{score(verdicts)} <button type="button" class="button" onClick={() => begin(recording)}>Try again</button></p>
                <Answers verdicts={verdicts} position={position} recording={recording} />
              </>
            )
            : (
              <>
                <Guess lines={guess} when={when} onChange={setGuess} />
                <button type="button" class="button accent" onClick={() => setRevealed(true)}>Reveal</button>
              </>
            )}
        </div>
      </div>
    </article>
  )
}

function score(verdicts: readonly Verdict[]): string {
  const places = verdicts.filter(({ right }) => right).length
  const asked = verdicts.flatMap(({ when }) => when === null ? [] : [when])
  const times = asked.filter(({ right }) => right).length
  if (places === verdicts.length && times === asked.length) return `All ${places} lines in their places${asked.length === 0 ? '.' : ', at their times.'}`
  return `${places} of ${verdicts.length} lines in their places${asked.length === 0 ? '.' : `, ${times} of ${asked.length} times right.`}`
}

function Answers({ verdicts, position, recording }: { verdicts: readonly Verdict[]; position: Position | null; recording: Recording }) {
  const seq = position === null ? Infinity : position.seq
  return (
    <ol class="answers" aria-label="What was printed">
      {verdicts.map(({ line, guessed, right, why, when }) => {
        const all = right && when?.right !== false
        return (
          <li key={line.seq} class={`${line.seq > seq ? 'later' : ''} ${all ? 'right' : 'wrong'}`}>
            <span class="answer-sign" aria-hidden="true">{all ? '✓' : '✕'}</span>
            <span class="mono soft">{(line.t - recording.zero).toFixed(3)} s</span> <span class="soft">{recording.lanes.get(line.task ?? 0)?.name}</span> <b class="mono">{line.text}</b>
            {all && <span class="hidden">Right.</span>}
            {!right && <span class="answer-why"><span class="hidden">Wrong. </span>You had “{guessed}” here. {why}</span>}
            {when?.right === false && (
              <span class="answer-why"><span class="hidden">Wrong time. </span>{when.guessed === null ? 'You gave no time.' : `You said ${when.guessed} s.`} {when.why}</span>
            )}
          </li>
        )
      })}
    </ol>
  )
}

/** The run's lanes, played once; with reduced motion, only the end. */
function Play({ recording, view }: { recording: Recording; view: View }) {
  const position = view.cursor.value
  const onMove = (to: Position | null): void => { view.cursor.value = to }
  const host = useRef<HTMLDivElement>(null)
  const timeline = useRef<Timeline | null>(null)
  /** The moment that the page set on the timeline, so that it is not taken for the reader's choice. */
  const given = useRef<Position | null>(null)
  useEffect(() => {
    const made = new Timeline(host.current as HTMLDivElement, { recording, compact: true, label: 'Timeline of the run; the list of lines shows the same' })
    timeline.current = made
    const part = view.join(made)
    const { from, to } = recording
    const pad = Math.max(0.002, (to - from) * 0.04)
    made.show(from - pad, to + pad, false)
    let own = true
    let frame = 0
    const began = performance.now()
    const play = (): void => {
      const part = Math.min(1, (performance.now() - began) / 1000 / PLAY)
      onMove(part === 1 ? null : recording.positionAt(from + (to - from) * part))
      if (part < 1 && own) frame = requestAnimationFrame(play)
    }
    made.on('cursor', (at) => {
      if (at === given.current) return
      own = false
      onMove(at)
    })
    const ending = new AbortController()
    const { signal } = ending
    // Any input of the reader stops the replay.
    for (const type of ['pointerdown', 'keydown', 'input']) host.current?.closest('.lesson')?.addEventListener(type, () => { own = false }, { signal })
    addEventListener('loopscope:theme', () => made.restyle(), { signal })
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) onMove(null)
    else play()
    return () => {
      cancelAnimationFrame(frame)
      ending.abort()
      part()
      made.destroy()
    }
  }, [recording])
  useEffect(() => {
    given.current = position
    if (timeline.current !== null) timeline.current.cursor = position
  }, [position])
  return (
    <section aria-label="The run">
      <Transport recording={recording} position={position} onMove={onMove} />
      <div class="lanes-and-why">
        <div class="lesson-lanes"><div ref={host} /></div>
        <WhyBeside view={view} />
      </div>
    </section>
  )
}
