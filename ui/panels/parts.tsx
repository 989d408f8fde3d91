// Small components that several panels share.
import type { ComponentChildren } from 'preact'
import { duration, moment } from '../recording/time.ts'
import type { Split } from '../recording/track.ts'
import type { View } from '../session/view.ts'

/** A task's name as a button that selects the task. Names are drawn as text, never as markup. */
export function TaskLink({ session, task, name }: { session: View; task: number | null; name?: string }) {
  const lane = task === null ? undefined : session.recording.value.lanes.get(task)
  const text = lane?.name ?? name ?? (task === null ? 'no task' : `task ${task}`)
  if (lane === undefined) return <span>{text}</span>
  return <button type="button" class="link-button" onClick={(event) => { event.stopPropagation(); session.select(lane.id, true) }}>{text}</button>
}

/** A time as a button that moves the lanes there. */
export function Moment({ session, t, seq, digits = 3 }: { session: View; t: number; seq?: number; digits?: number }) {
  const { recording } = session
  return (
    <button type="button" class="link-button plain time" title="Look at this moment" onClick={(event) => {
      event.stopPropagation()
      session.cursor.value = seq === undefined ? recording.value.positionAt(t) : { t, seq }
    }}>{moment(t - recording.value.zero, digits)}</button>
  )
}

const PARTS = [['run', 'running', 'running'], ['ready', 'ready', 'ready, waiting for the loop'], ['wait', 'waiting', 'waiting'], ['thread', 'thread', 'in a thread']] as const

/**
 * Where the time went, as one bar. Its parts differ in pattern, and have text for screen readers. `unknown` are the seconds of
 * which that is not known.
 */
export function SplitBar({ split, scale, unknown = 0 }: { split: Split; scale: number; unknown?: number }) {
  const words = [
    ...PARTS.filter(([key]) => split[key] > 0).map(([key, , word]) => `${word} ${duration(split[key])}`),
    ...unknown > 0 ? [`not known ${duration(unknown)}`] : [],
  ].join(', ')
  return (
    <span class="split-bar" role="img" aria-label={words} title={words}>
      {PARTS.map(([key, name]) => split[key] * scale < 0.002 ? null
        : <i key={key} class={`swatch ${name}`} style={{ width: `${Math.max(1, split[key] * scale * 100)}%` }} />)}
      {unknown > 0 && <i class="swatch unknown" style={{ width: `${Math.max(1, unknown * scale * 100)}%` }} />}
    </span>
  )
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return <div class="fact"><dt>{name}</dt><dd>{children}</dd></div>
}
