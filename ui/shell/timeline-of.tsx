// A timeline of any recording, as a component.
import { useEffect, useRef } from 'preact/hooks'
import type { Recording } from '../recording.ts'
import { Timeline, type TimelineOptions } from '../timeline/timeline.ts'

interface TimelineOfProps {
  recording: Recording
  options?: Omit<TimelineOptions, 'recording'>
  /** Called with the timeline once it exists; the returned function is called when it is removed. */
  ready: (timeline: Timeline) => (() => void) | void
}

export function TimelineOf({ recording, options, ready }: TimelineOfProps) {
  const place = useRef<HTMLDivElement>(null)
  const made = useRef<Timeline | null>(null)
  useEffect(() => {
    const timeline = new Timeline(place.current as HTMLDivElement, { recording, ...options })
    made.current = timeline
    const end = ready(timeline)
    const restyle = (): void => timeline.restyle()
    addEventListener('loopscope:theme', restyle)
    return () => {
      removeEventListener('loopscope:theme', restyle)
      end?.()
      timeline.destroy()
      made.current = null
    }
  }, [])
  useEffect(() => {
    const timeline = made.current
    if (timeline !== null && timeline.recording !== recording) timeline.recording = recording
  }, [recording])
  return <div class="timeline-host" ref={place} />
}
