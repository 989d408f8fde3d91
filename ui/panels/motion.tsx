// The loop's mechanism in motion: a chip for each task, in the place where it is, and a sentence that says what just happened.
// It shows real events only, those of the recording up to the moment that is shown.
import { signal } from '@preact/signals'
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { PanelContext } from '../panels.ts'
import { clock } from '../recording/explain.ts'
import { before, beginningAt, lastMove, moveBefore, moveInWords, nextMove, PLACES, placesAt, type Chip, type Move, type Place } from '../recording/motion.ts'
import { NOW, type Lane, type Position, type Recording } from '../recording.ts'
import type { Session } from '../session.ts'
import { passes } from '../session/filter.ts'
import { CAP_GLYPH } from '../timeline/words.ts'
import { zoomOf } from '../timeline/zoom.ts'
import { TaskLink } from './parts.tsx'

/** Seconds for each event that moves a task. */
const PACES = [1.6, 0.8, 0.4, 0.2] as const
/** A chip moves for this part of the time of its event. */
const MOVING = 0.7

const HEAD: Record<Place, [title: string, about: string]> = {
  timers: ['Timers', 'by deadline'],
  ready: ['Ready queue', 'first in, first out'],
  running: ['Running', 'one at a time'],
  waiting: ['Waiting', 'for something else'],
  ended: ['Ended', 'the latest first'],
}

/** The place as a class of the style sheet, where it has a look of its own. */
const LOOK: Record<Place, string> = { timers: '', ready: 'ready', running: 'running', waiting: '', ended: 'ended' }

/** It lasts until the page is closed. */
const pace = signal<number>(0.8)

export function MotionPanel({ session }: PanelContext) {
  void session.tick.value
  const root = useRef<HTMLDivElement>(null)
  const recording = session.recording.value
  const filter = session.filter.value
  const cursor = session.cursor.value
  // By the filter's state, chips would vanish instead of moving.
  const inAnyState = { ...filter, state: '' }
  const shown = (lane: Lane): boolean => passes(lane, inAnyState, NOW, 0)
  const first = recording.events[0]?.seq
  const [earlier, move] = useMemo((): [Move | null, Move | null] => {
    const last = cursor === null ? null : lastMove(recording, cursor, shown)
    return [last === null ? null : moveBefore(recording, last, shown), last]
  }, [recording, filter, cursor, first])
  const places = placesAt(recording, session.position, session.time, shown)
  const player = usePlayer(session, shown)
  useMotion(root, { recording, move: cursor === null ? null : move?.event.seq ?? 0, before: earlier?.event.seq ?? 0 })
  const begin = cursor === null ? beginning(session) : null

  return (
    <div class="motion" ref={root}>
      <div class="motion-tools" role="group" aria-label="Motion">
        <button type="button" class="button accent" aria-pressed={player.playing} onClick={player.toggle}>{player.playing ? '❚❚ Stop' : '▶ Play slowly'}</button>
        <button type="button" class="button" onClick={() => player.step(-1)} aria-label="One event back" title="To the event before that moved a task">⇤ <span class="wide-only">One event back</span></button>
        <button type="button" class="button" disabled={cursor === null} onClick={() => player.step(1)} aria-label="One event on" title="To the next event that moves a task">⇥ <span class="wide-only">One event on</span></button>
        <label class="soft"><span class="wide-only">one event each{' '}</span>
          <select aria-label="One event each" value={String(pace.value)} onChange={({ currentTarget }) => { pace.value = Number(currentTarget.value) }}>
            {PACES.map((seconds) => <option key={seconds} value={String(seconds)}>{seconds} s</option>)}
          </select>
        </label>
        {cursor !== null && <span class="soft time">{clock(recording, cursor.t)}</span>}
      </div>
      <p class={`sentence ${move === null ? '' : LOOK[move.to]}`} role="status" aria-live="polite">
        {begin !== null ? `This is the ${recording === session.live ? 'present' : 'end of the recording'}. Play slowly begins at ${begin.words}.` : move === null ? 'No task has moved yet.' : moveInWords(recording, move)}
      </p>
      <div class="motion-places">
        {PLACES.map((place) => <PlaceView key={place} place={place} session={session} room={places[place]} moved={move?.lane.id ?? null} />)}
      </div>
      {places.unknown > 0 && <p class="soft">{places.unknown} {places.unknown === 1 ? 'task is' : 'tasks are'} not shown: events were lost.</p>}
    </div>
  )
}

function PlaceView({ place, session, room: { chips, more }, moved }: { place: Place; session: Session; room: { chips: Chip[]; more: number }; moved: number | null }) {
  const [title, about] = HEAD[place]
  return (
    <section class={`motion-place in-${place}`} aria-label={title}>
      <h3>{title} <span class="soft">{about}</span></h3>
      <ol class="slots">
        {chips.map(({ lane, label, next }) => (
          <li key={lane.id} data-task={lane.id} class={`slot motion-chip ${LOOK[place]} ${lane.id === moved ? 'moved' : ''} ${lane.id === session.selected.value ? 'selected' : ''}`}>
            <i class={`motion-hue hue-${lane.id % 8 + 1}`} aria-hidden="true" />
            {next && <span class="next">next</span>}
            {place === 'ended' && lane.outcome !== null && <span aria-hidden="true">{CAP_GLYPH[lane.outcome]} </span>}
            <TaskLink session={session} task={lane.id} />
            {label !== '' && <span class="soft"> {label}</span>}
          </li>
        ))}
      </ol>
      {chips.length === 0 && <p class="soft">{place === 'running' ? 'nothing: the loop sleeps, or takes the next task' : 'none'}</p>}
      {more > 0 && <p class="soft">and {more.toLocaleString('en-US')} more</p>}
    </section>
  )
}

/** Where Play slowly begins: with the selected run, or that of the selected task, or with what the lanes show. */
function beginning(session: Session): { t: number; words: string } {
  const recording = session.recording.value
  const lane = session.selected.value === null ? undefined : recording.lanes.get(session.selected.value)
  const id = session.filter.value.run ?? lane?.run
  const run = id == null ? undefined : recording.runs.get(id)
  if (run !== undefined) return { t: run.from, words: `the start of run ${run.id}` }
  return { t: Math.max(recording.from, session.timeline?.view.from ?? -Infinity), words: 'the start of what the lanes show' }
}

interface Player {
  playing: boolean
  toggle: () => void
  step: (by: 1 | -1) => void
}

/** Moves the session's cursor from move to move. It stops at the last one, when the page goes live, and when it is hidden. */
function usePlayer(session: Session, shown: (lane: Lane) => boolean): Player {
  const [playing, play] = useState(false)
  const go = (cursor: Position): void => {
    session.follow.value = false
    session.cursor.value = cursor
  }
  const step = (by: 1 | -1): boolean => {
    const recording = session.recording.value
    const last = by === 1 ? null : lastMove(recording, session.position, shown)
    const move = by === 1 ? nextMove(recording, session.position, shown) : last === null ? null : moveBefore(recording, last, shown)
    if (move !== null) go({ t: move.event.t, seq: move.event.seq })
    else if (last !== null) go(before(last.event))
    return move !== null
  }
  // The timer outlives this render.
  const beat = useRef(() => {})
  beat.current = () => {
    if (session.cursor.value === null || !step(1)) play(false)
  }
  const seconds = pace.value
  useEffect(() => {
    if (!playing) return
    const timer = setInterval(() => beat.current(), seconds * 1000)
    const stop = (): void => {
      if (document.hidden) play(false)
    }
    document.addEventListener('visibilitychange', stop)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', stop)
    }
  }, [playing, seconds])
  return {
    playing,
    toggle() {
      const recording = session.recording.value
      if (!playing && (session.cursor.value === null || nextMove(recording, session.cursor.value, shown) === null)) go(beginningAt(recording, beginning(session).t))
      play(!playing)
    },
    step(by) {
      play(false)
      step(by)
    },
  }
}

/** What the chips showed: the move and the one before it, each as the number of its event, 0 if there was none; or the present. */
interface Still {
  recording: Recording
  move: number | null
  before: number
}

/**
 * When the next move is shown, or the one before, lets each chip go from where it was to where it is now: its place is measured
 * before the page changes, and the chip is moved back there and let go after it.
 */
function useMotion(root: { current: HTMLElement | null }, now: Still): void {
  const then = useRef(now)
  const { recording, move, before } = then.current
  const isNeighbour = recording === now.recording && move !== null && now.move !== null && (now.before === move || before === now.move)
  const places = isNeighbour && move !== now.move && !matchMedia('(prefers-reduced-motion: reduce)').matches ? measure(root.current) : null
  const focused = root.current?.contains(document.activeElement) === true ? document.activeElement?.closest<HTMLElement>('[data-task]')?.dataset['task'] : undefined
  useLayoutEffect(() => {
    then.current = now
    if (places !== null) animate(root.current as HTMLElement, places)
    // In another place a chip is another element; the focus goes with the task.
    if (focused !== undefined && root.current?.contains(document.activeElement) === false) root.current.querySelector<HTMLElement>(`[data-task="${focused}"] button`)?.focus({ preventScroll: true })
  })
}

const chipsIn = (root: HTMLElement): HTMLElement[] => [...root.querySelectorAll<HTMLElement>('[data-task]')]

function measure(root: HTMLElement | null): Map<string, DOMRect> {
  return new Map(root === null ? [] : chipsIn(root).map((chip) => [chip.dataset['task'] as string, chip.getBoundingClientRect()]))
}

function animate(root: HTMLElement, places: Map<string, DOMRect>): void {
  const chips = chipsIn(root)
  for (const { style } of chips) {
    style.transition = 'none'
    style.transform = ''
  }
  const zoom = zoomOf(root)
  const ways = chips.map((chip) => {
    const [from, to] = [places.get(chip.dataset['task'] as string), chip.getBoundingClientRect()]
    return from === undefined ? '' : `translate(${(from.left - to.left) / zoom}px, ${(from.top - to.top) / zoom}px)`
  })
  for (const [at, { style }] of chips.entries()) style.transform = ways[at] as string
  // Without a layout in between, there would be nothing to go from.
  root.getBoundingClientRect()
  for (const { style } of chips) {
    style.transition = `transform ${pace.peek() * MOVING}s ease-in-out`
    style.transform = ''
  }
}
