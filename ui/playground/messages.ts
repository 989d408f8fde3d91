// What the page and the playground's thread say to each other. The thread runs a stranger's program, so what comes from
// there is read with these schemas, by the gate, and nothing else is believed.
import '../zod-setup.ts'
import { z } from 'zod'
import type { LoopEvent } from '../../src/events/schema.ts'

/** A module of the program as it runs: JavaScript, and where in the source each piece of it came from. */
export interface CompiledModule {
  /** `program.ts`, and what it imports. */
  name: string
  code: string
  /** The `mappings` of a source map, version 3. */
  mappings: string
  /** Where in `code` the module's imports name what they import. */
  imports: { specifier: string; start: number; end: number }[]
}

/** What the page tells the thread: first `start`, on the port that everything else goes over. */
export type ToThread =
  | { type: 'start'; modules: CompiledModule[]; clock: 'real' | 'virtual'; until: number }
  | { type: 'ping'; count: number }
  | { type: 'cancel'; reason: string }

const place = z.object({ function: z.string(), file: z.string(), line: z.int().min(1), column: z.int().min(1) })
const failure = z.object({ text: z.string(), stack: z.array(place).max(100) })

/** What the thread says, but for its events. */
export const said = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  /** A line that was printed outside of any loop. */
  z.object({ type: z.literal('line'), text: z.string() }),
  /** The thread is held, and still able to say so: by whom, in which line, for how many seconds so far. */
  z.object({ type: z.literal('held'), seconds: z.number(), task: z.string().nullable(), place: place.nullable() }),
  z.object({ type: z.literal('pong'), count: z.int().min(0) }),
  /** Something that nobody awaited went wrong, or is worth a warning. */
  z.object({ type: z.literal('report'), failure }),
  z.object({ type: z.literal('ended'), outcome: z.enum(['returned', 'raised', 'cancelled']), failure: failure.nullable(), note: z.string().nullable() }),
])

export type Said = z.output<typeof said>
export type Failure = z.output<typeof failure>
export type Place = z.output<typeof place>

/** What the thread tells the gate: several events in one message. */
export type FromThread = Said | { type: 'events'; events: LoopEvent[] }

/** What the page tells the gate: the port of the thread, that it has taken in what came and would have more, and all that is for the thread. */
export type ToGate = { type: 'open' } | { type: 'more' } | Exclude<ToThread, { type: 'start' }>

/** What the gate lets through to the page, and how much it has refused so far. */
export interface FromGate {
  items: (Said | { type: 'event'; event: LoopEvent })[]
  refused: number
  /** Set where the thread is to be ended at once: why. */
  over?: string
}

export type Item = FromGate['items'][number]
