// What a panel needs of the place where it is shown: a recording, the moment and the task that are looked at. The session is
// one; a page with lanes of its own has another.
import { signal, type Signal } from '@preact/signals'
import { NOW, Recording, type Position } from '../recording.ts'
import type { Timeline } from '../timeline/timeline.ts'

export class View {
  readonly recording: Signal<Recording>
  /** Grows when panels should render again. */
  readonly tick: Signal<number>
  readonly selected = signal<number | null>(null)
  readonly cursor = signal<Position | null>(null)
  timeline: Timeline | null = null
  /** The time now; by default, that of the last event. */
  clock: (() => number) | null = null

  constructor(tick = signal(0), recording = new Recording()) {
    this.tick = tick
    this.recording = signal(recording)
  }

  /** The moment that is shown. */
  get position(): Position {
    return this.cursor.value ?? NOW
  }

  /** Its time. */
  get time(): number {
    return this.cursor.value?.t ?? this.now()
  }

  now(): number {
    return this.clock?.() ?? this.recording.value.to
  }

  /** Shows another recording, from its end. */
  show(recording: Recording): void {
    if (recording === this.recording.value) return
    this.recording.value = recording
    this.selected.value = null
    this.cursor.value = null
  }

  /** Selects a lane; `reveal` moves the lanes to it. */
  select(lane: number | null, reveal = false): void {
    this.selected.value = lane
    if (lane !== null && reveal) this.timeline?.reveal(lane)
  }

  /** Shows the same moment as this timeline, both ways. The returned function ends that. */
  joinMoment(timeline: Timeline): () => void {
    const stops = [
      timeline.on('cursor', (cursor) => { this.cursor.value = cursor }),
      this.cursor.subscribe((cursor) => {
        if (timeline.cursor?.seq !== cursor?.seq || timeline.cursor?.t !== cursor?.t) timeline.cursor = cursor
      }),
    ]
    return () => {
      for (const stop of stops) stop()
    }
  }

  /** Selects the same lane as this timeline, both ways. The returned function ends that. */
  join(timeline: Timeline): () => void {
    this.timeline = timeline
    const stops = [
      timeline.on('select', (lane) => { this.selected.value = lane }),
      this.selected.subscribe((lane) => { timeline.selected = lane }),
    ]
    return () => {
      for (const stop of stops) stop()
      if (this.timeline === timeline) this.timeline = null
    }
  }
}
