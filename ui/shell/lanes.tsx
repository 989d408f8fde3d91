// The timeline in the page, in sync with the session in both directions.
import { useEffect, useRef } from 'preact/hooks'
import { effect } from '@preact/signals'
import { setAddress } from '../address.ts'
import type { Session } from '../session.ts'
import { Timeline } from '../timeline/timeline.ts'
import { grouping, LaneBar, mark, range } from './lane-bar.tsx'
import { openPanel } from './tabs.tsx'

/** Seconds that the window shows at first. */
const FIRST_WINDOW = 10

function afterFirst(act: (value: string) => void): (value: string) => void {
  let first = true
  return (value) => {
    if (first) first = false
    else act(value)
  }
}

export function LanesView({ session }: { session: Session }) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const timeline = new Timeline(place.current as HTMLDivElement, {
      recording: session.recording.value, now: () => session.now(), follow: session.follow.value, wall: wallClockOf(session),
    })
    timeline.view.set(-FIRST_WINDOW, 0)
    session.timeline = timeline
    let settling: ReturnType<typeof setTimeout> | undefined
    const stops = [
      session.onChange(() => timeline.refresh()),
      effect(() => {
        if (timeline.recording !== session.recording.value) timeline.recording = session.recording.value
      }),
      effect(() => { timeline.follow = session.follow.value }),
      effect(() => {
        const cursor = session.cursor.value
        if (timeline.cursor?.seq !== cursor?.seq || timeline.cursor?.t !== cursor?.t) timeline.cursor = cursor
      }),
      effect(() => { timeline.selected = session.selected.value }),
      effect(() => { timeline.grouping = grouping.value }),
      effect(() => {
        const from = mark.value
        const to = session.cursor.value?.t
        if (from !== null && to !== undefined) timeline.range = { from: Math.min(from, to), to: Math.max(from, to) }
      }),
      effect(() => {
        // A filter by state depends on the moment, so it runs again when the moment changes.
        const { state } = session.filter.value
        if (state !== '') void session.tick.value
        void session.cursor.value
        timeline.filter = (lane) => session.passes(lane)
      }),
      // Only changes are reported: the address decides what is shown first.
      session.hash.subscribe(afterFirst((value) => {
        const run = new URLSearchParams(value).get('run')
        if (run !== null || value === '') setAddress({ run, from: null, to: null })
      })),
      timeline.on('select', (lane) => { session.selected.value = lane }),
      timeline.on('follow', (follow) => { session.follow.value = follow }),
      timeline.on('cursor', (cursor) => { session.cursor.value = cursor }),
      timeline.on('range', (stretch) => { range.value = stretch }),
      timeline.on('stall', (stall) => {
        openPanel('stalls')
        if (stall.task !== null) session.select(stall.task)
      }),
      timeline.on('view', (from, to) => {
        clearTimeout(settling)
        if (session.follow.value) return
        settling = setTimeout(() => {
          if (!session.follow.value && session.recording.value === session.live) setAddress({ from: from.toFixed(6), to: to.toFixed(6) })
        }, 400)
      }),
    ]
    return () => {
      for (const stop of stops) stop()
      clearTimeout(settling)
      session.timeline = null
      timeline.destroy()
    }
  }, [])
  return (
    <div class="lanes-view">
      <LaneBar session={session} />
      <div class="lanes-host"><div class="timeline-host" ref={place} /></div>
    </div>
  )
}

/** The reader's wall clock at a time of the live loop. A loop in virtual time has none. */
function wallClockOf(session: Session): (t: number) => number | null {
  let ahead: number | null = null
  return (t) => {
    if (session.recording.peek() !== session.live) return null
    const recorded = session.connection.recorded.peek()
    if (recorded !== null) ahead = recorded
    else if (session.connection.state.peek() === 'live' && session.live.to > 0 && !session.live.loopClosed) ahead = Date.now() - session.connection.now() * 1000
    return ahead === null ? null : t * 1000 + ahead
  }
}
