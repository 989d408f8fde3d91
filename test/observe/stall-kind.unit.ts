// The kind of a stall, judged from figures, as a table.
import t from 'tap'
import type { StallFigures, StallKind } from '../../src/events/schema.ts'
import { kindOf, type Evidence } from '../../src/observe/stall-kind.ts'

const ONE_LONG = { seconds: 0.9, micro: 0, longest: 0.9, changes: 0 }
const MANY = { seconds: 0.9, micro: 0, longest: 0.1, changes: 9 }

/** Of a stall of one second. */
const TABLE: [what: string, kind: StallKind, figures: StallFigures, evidence?: Partial<Evidence>][] = [
  ['a thread that runs, and shows code', 'javascript', { ran: 0.98, slept: 0.01, starved: 0.01 }],
  ['one that runs, but gives no stack', 'native', { ran: 0.98, slept: 0.02, starved: 0 }, { native: true }],
  ['one that gives no stack where the kernel says nothing', 'unknown', {}, { native: true }],
  ['code where the kernel says nothing', 'javascript', {}],
  ['nothing that is known', 'unknown', {}, { code: false }],
  ['one that sleeps', 'system-call', { ran: 0.1, slept: 0.9, starved: 0, call: 'read' }, { native: true }],
  ['one that runs in the kernel', 'system-call', { ran: 1, slept: 0, starved: 0 }, { inKernel: true }],
  ['one that collects garbage', 'garbage-collection', { ran: 0.9, slept: 0.1, starved: 0, collected: 0.8 }, { native: true }],
  ['one that waits for those that help it to collect garbage', 'garbage-collection', { ran: 0.4, slept: 0.6, starved: 0, collected: 0.8 }],
  ['one that collects some garbage', 'javascript', { ran: 0.9, slept: 0.1, starved: 0, collected: 0.2 }],
  ['one that has no processor', 'starved', { ran: 0.2, slept: 0.1, starved: 0.7 }],
  ['one that has no processor while it collects garbage', 'starved', { ran: 0.2, slept: 0.1, starved: 0.7, collected: 0.9 }],
  ['one of a process that stands still', 'suspended', { ran: 0.2, slept: 0, starved: 0, stopped: 0.8 }],
  ['the larger part of its own time, if none is half', 'system-call', { ran: 0.2, slept: 0.35, starved: 0.45 }],
  ['one that runs, and has no processor for less than half of the time', 'javascript', { ran: 0.35, slept: 0.2, starved: 0.45 }],
  ['one that a debugger has paused', 'debugger', { ran: 0, slept: 1, starved: 0 }, { paused: true }],
  ['many callbacks', 'callbacks', { ran: 1, slept: 0, starved: 0 }, { turns: MANY }],
  ['many microtasks', 'microtasks', { ran: 1, slept: 0, starved: 0 }, { turns: { ...MANY, micro: 0.8 } }],
  ['many callbacks where the kernel says nothing', 'callbacks', {}, { turns: MANY }],
  ['many callbacks, one of which is most of it', 'javascript', { ran: 1, slept: 0, starved: 0 }, { turns: { ...MANY, longest: 0.5 } }],
  ['many known steps', 'callbacks', { ran: 1, slept: 0, starved: 0 }, { together: true }],
]

for (const [what, kind, figures, evidence = {}] of TABLE) {
  t.test(what, async (t) => {
    t.equal(kindOf({ seconds: 1, figures, paused: false, inKernel: false, turns: ONE_LONG, together: false, code: true, native: false, ...evidence }), kind)
  })
}
