// Two runs on one time axis, both in virtual time. They show the cost of a second await and of a blocking call.
import { useSignal } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { address, setAddress } from '../address.ts'
import type { PanelContext } from '../panels.ts'
import { duration } from '../recording/explain.ts'
import { View } from '../session/view.ts'
import { WhyBeside } from '../panels/why.tsx'
import { Recording } from '../recording.ts'
import { recordingOf, type Session } from '../session.ts'
import { TimelineOf } from '../shell/timeline-of.tsx'
import type { Timeline } from '../timeline/timeline.ts'

interface Side {
  example: number
  recording: Recording | null
}

const PAIRS = [
  { left: 2, right: 3, title: 'Compare 2 and 3', what: 'The same two waits. One after the other, they add up; in two tasks, they pass at the same time.' },
  { left: 3, right: 4, title: 'Compare 3 and 4', what: 'A waiting task yields to the others. A blocking task never yields: the others are ready, and are delayed.' },
  { left: 1, right: 2, title: 'Compare 1 and 2', what: 'One task, one wait; one task, two waits.' },
] as const

function wanted(): [number, number] {
  const [left, right] = (address.value.get('runs') ?? '').split('-').map(Number)
  const valid = (n: number | undefined): n is number => n !== undefined && Number.isInteger(n) && n >= 1 && n <= 5
  return valid(left) && valid(right) ? [left, right] : [2, 3]
}

export function ComparePage({ session }: PanelContext) {
  const [first, second] = wanted()
  const sides = useSignal<[Side, Side]>([{ example: first, recording: null }, { example: second, recording: null }])
  const timelines = useRef<[Timeline | null, Timeline | null]>([null, null])
  const views = useMemo(() => [new View(), new View()] as const, [])
  const load = async (which: 0 | 1, example: number): Promise<void> => {
    const parameters: Record<string, string> = example === 5 ? { items: '2', seed: '7' } : {}
    const result = await session.attempt(session.api.runVirtual(example, parameters))
    const next: [Side, Side] = [...sides.value]
    next[which] = { example, recording: result === null ? null : recordingOf(result) }
    sides.value = next
    setTimeout(align)
  }
  const choose = (left: number, right: number): void => {
    setAddress({ runs: `${left}-${right}` })
    void load(0, left)
    void load(1, right)
  }
  /** Both start at zero and show the same length of time. */
  const align = (): void => {
    const span = Math.max(...sides.value.map(({ recording }) => recording === null ? 0 : recording.to - recording.zero), 0.001)
    timelines.current.forEach((timeline, at) => {
      const zero = sides.value[at]?.recording?.zero ?? 0
      timeline?.show(zero - span * 0.02, zero + span * 1.06, false)
    })
  }
  const join = (which: 0 | 1) => (timeline: Timeline): (() => void) => {
    timelines.current[which] = timeline
    const view = views[which]
    let moving = false
    const stops = [
      view.join(timeline),
      view.joinMoment(timeline),
      timeline.on('view', (from, to) => {
        const other = timelines.current[1 - which]
        if (other == null || moving) return
        const shift = (sides.value[1 - which]?.recording?.zero ?? 0) - (sides.value[which]?.recording?.zero ?? 0)
        if (Math.abs(other.view.from - from - shift) < 1e-9 && Math.abs(other.view.to - to - shift) < 1e-9) return
        moving = true
        other.view.set(from + shift, to + shift)
        other.draw()
        moving = false
      }),
      view.cursor.subscribe((cursor) => {
        const other = views[which === 0 ? 1 : 0]
        const theirs = other.recording.peek()
        const t = cursor === null ? null : cursor.t - view.recording.peek().zero + theirs.zero
        const known = other.cursor.peek()
        // The other side answers with the same moment, up to rounding.
        if (t === null ? known === null : known !== null && Math.abs(known.t - t) < 1e-9) return
        other.cursor.value = t === null ? null : theirs.positionAt(t)
      }),
    ]
    return () => {
      for (const stop of stops) stop()
      timelines.current[which] = null
    }
  }
  useEffect(() => {
    void session.loadExamples()
    choose(first, second)
  }, [])
  return (
    <div class="compare">
      <div class="toolbar" role="toolbar" aria-label="Which two">
        <div class="group">
          {PAIRS.map(({ left, right, title }) => (
            <button key={title} type="button" class={`button ${sides.value[0].example === left && sides.value[1].example === right ? 'accent' : ''}`} onClick={() => choose(left, right)}>{title}</button>
          ))}
        </div>
        {([0, 1] as const).map((which) => (
          <label class="group" key={which}>
            <span class="soft">{which === 0 ? 'above' : 'below'}</span>
            <select value={String(sides.value[which].example)} onChange={({ currentTarget }) => {
              const example = Number(currentTarget.value)
              setAddress({ runs: which === 0 ? `${example}-${sides.value[1].example}` : `${sides.value[0].example}-${example}` })
              void load(which, example)
            }}>
              {[1, 2, 3, 4, 5].map((n) => <option key={n} value={String(n)}>{`${n} ${session.examples.value?.find(({ number }) => number === n)?.title ?? ''}`}</option>)}
            </select>
          </label>
        ))}
        <button type="button" class="button" onClick={align}>Fit</button>
      </div>
      <p class="compare-words">{words(session, sides.value)}</p>
      {([0, 1] as const).map((which) => {
        const side = sides.value[which]
        const recording = side.recording ?? NOTHING
        views[which].show(recording)
        return (
          <section class="compare-side" key={which} aria-label={`Example ${side.example}`}>
            <h2>Example {side.example} <span class="soft">{side.recording === null ? 'loading …' : `${duration(side.recording.to - side.recording.zero)} in virtual time, ${side.recording.lines.length} lines`}</span></h2>
            <div class="lanes-and-why">
              <div class="compare-lanes"><TimelineOf recording={recording} options={{ compact: true, label: `Timeline of example ${side.example}` }} ready={join(which)} /></div>
              <WhyBeside view={views[which]} label={which === 0 ? 'Why? above' : 'Why? below'} />
            </div>
          </section>
        )
      })}
    </div>
  )
}

const NOTHING = new Recording()

function words(session: Session, [above, below]: [Side, Side]): string {
  void session.examples.value
  const pair = PAIRS.find(({ left, right }) => left === above.example && right === below.example)
  const [a, b] = [above.recording, below.recording].map((recording) => recording === null ? null : recording.to - recording.zero)
  if (a == null || b == null) return pair?.what ?? ''
  const difference = Math.abs(a - b) < 1e-6 ? 'Both take the same time.' : `The ${a < b ? 'upper' : 'lower'} run ends ${duration(Math.abs(a - b))} earlier.`
  return `${pair?.what ?? ''} ${difference}`.trim()
}
