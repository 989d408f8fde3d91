// Two runs on one time axis: what is shown of one is shown of the other, from the same time on and at the same moment.
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { duration } from '../recording/explain.ts'
import { WhyBeside } from '../panels/why.tsx'
import { Recording } from '../recording.ts'
import { View } from '../session/view.ts'
import { TimelineOf } from '../shell/timeline-of.tsx'
import type { Timeline } from '../timeline/timeline.ts'

export interface Side {
  title: string
  /** null while it is loading. */
  recording: Recording | null
}

const NOTHING = new Recording()

export function TwoRuns({ sides }: { sides: readonly [Side, Side] }) {
  const timelines = useRef<[Timeline | null, Timeline | null]>([null, null])
  const views = useMemo(() => [new View(), new View()] as const, [])
  const shown = useRef(sides)
  shown.current = sides
  /** Both start at zero and show the same length of time. */
  const align = (): void => {
    const span = Math.max(...shown.current.map(({ recording }) => recording === null ? 0 : recording.to - recording.zero), 0.001)
    timelines.current.forEach((timeline, at) => {
      const zero = shown.current[at]?.recording?.zero ?? 0
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
        const shift = (shown.current[1 - which]?.recording?.zero ?? 0) - (shown.current[which]?.recording?.zero ?? 0)
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
  // After the timelines have taken the recordings.
  useEffect(() => {
    const soon = setTimeout(align)
    return () => clearTimeout(soon)
  }, [sides[0].recording, sides[1].recording])
  return (
    <>
      {([0, 1] as const).map((which) => {
        const { title, recording } = sides[which]
        views[which].show(recording ?? NOTHING)
        return (
          <section class="compare-side" key={which} aria-label={title}>
            <div class="compare-head">
              <h2>{title} <span class="soft">{recording === null ? 'loading …' : `${duration(recording.to - recording.zero)} in virtual time, ${recording.lines.length} lines`}</span></h2>
              {which === 0 && <button type="button" class="button" onClick={align}>Fit</button>}
            </div>
            <div class="lanes-and-why">
              <div class="compare-lanes"><TimelineOf recording={recording ?? NOTHING} options={{ compact: true, label: `Timeline of ${title}` }} ready={join(which)} /></div>
              <WhyBeside view={views[which]} label={which === 0 ? 'Why? above' : 'Why? below'} />
            </div>
          </section>
        )
      })}
    </>
  )
}
