// All kinds of tries, and how often each occurs.
import { Random } from '../conformance/random.ts'
import { body, headers, query } from './queries.ts'
import { ahead, framing, half, head, noise, target } from './raw.ts'
import type { Maker, Surface, Try } from './try.ts'
import { frames, upgrade } from './upgrades.ts'

export const KINDS: readonly { name: string; weight: number; make: Maker }[] = [
  { name: 'targets', weight: 14, make: target }, { name: 'heads', weight: 14, make: head }, { name: 'framing', weight: 12, make: framing }, { name: 'ahead', weight: 6, make: ahead },
  { name: 'queries', weight: 20, make: query }, { name: 'headers', weight: 12, make: headers }, { name: 'bodies', weight: 6, make: body }, { name: 'upgrades', weight: 6, make: upgrade },
  { name: 'frames', weight: 6, make: frames }, { name: 'half', weight: 6, make: half }, { name: 'noise', weight: 5, make: noise },
]

export type Numbered = Try & { number: number; kind: string }

/** The try with this number: the same for the same seed and the same server. */
export function makeTry(seed: number, number: number, surface: Omit<Surface, 'calling'>): Numbered {
  const random = new Random(seed, number)
  const { name, make } = random.weighted(KINDS)
  return { ...make(random, { ...surface, calling: `/called-by-${number}` }), number, kind: name }
}
