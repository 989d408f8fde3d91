// The stall labs that ran on this loop: when each lane ran, what the probes measured, and the figures of each lane.
import type { EventOf, LabResult } from '../../src/events/schema.ts'

export type LabLane = LabResult['lane']

export interface Lab {
  readonly id: number
  readonly requests: number
  readonly ms: number
  readonly rate: number
  readonly lanes: readonly LabLane[]
  readonly from: number
  to: number | null
  outcome: 'finished' | 'cancelled' | 'failed' | null
  error: string | null
  /** When each lane began. */
  readonly turns: { lane: LabLane; from: number }[]
  readonly samples: { t: number; seconds: number; lane: LabLane }[]
  readonly results: Map<LabLane, LabResult>
}

const MOST_LABS = 8
const MOST_SAMPLES = 30_000
const MOST_TURNS = 50

type LabEvent = EventOf<'lab.started' | 'lab.entered' | 'lab.probed' | 'lab.measured' | 'lab.finished'>

export class Labs {
  readonly all = new Map<number, Lab>()

  apply(event: LabEvent): void {
    if (event.type === 'lab.started') {
      const { lab: id, requests, ms, rate, lanes, t } = event
      this.all.set(id, { id, requests, ms, rate, lanes: [...new Set(lanes)], from: t, to: null, outcome: null, error: null, turns: [], samples: [], results: new Map() })
      if (this.all.size > MOST_LABS) this.all.delete(this.all.keys().next().value as number)
      return
    }
    const lab = this.all.get(event.lab)
    if (lab === undefined) return
    switch (event.type) {
      case 'lab.entered':
        if (lab.turns.length < MOST_TURNS) lab.turns.push({ lane: event.lane, from: event.t })
        break
      case 'lab.probed':
        for (const { t, seconds } of event.samples) if (lab.samples.length < MOST_SAMPLES) lab.samples.push({ t, seconds, lane: event.lane })
        break
      case 'lab.measured':
        lab.results.set(event.result.lane, event.result)
        break
      case 'lab.finished':
        lab.to = event.t
        lab.outcome = event.outcome
        lab.error = event.error ?? null
        break
    }
  }
}
