// Chooses among the types that a route offers by the client's Accept header.
import { Refusal } from './refusals.ts'

interface Wanted {
  type: string
  quality: number
}

function parse(header: string): Wanted[] {
  return header.split(',').map((part) => {
    const [type = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase())
    const q = parameters.find((parameter) => parameter.startsWith('q='))
    const quality = q === undefined ? 1 : Number(q.slice(2))
    return { type, quality: Number.isFinite(quality) ? quality : 0 }
  })
}

/** The quality of `type`: the most specific range that matches decides. */
function qualityOf(type: string, wanted: readonly Wanted[]): number {
  const ranges = [type, `${type.split('/')[0]}/*`, '*/*']
  for (const range of ranges) {
    const found = wanted.find((want) => want.type === range)
    if (found !== undefined) return found.quality
  }
  return 0
}

/** Chooses one of `offers`, the first if the client has no preference. Throws a 406 if it accepts none of them. */
export function negotiate<T extends string>(accept: string | undefined, offers: readonly [T, ...T[]]): T {
  if (accept === undefined || accept.trim() === '') return offers[0]
  const wanted = parse(accept)
  let best: T | null = null
  let most = 0
  for (const offer of offers) {
    const quality = qualityOf(offer, wanted)
    if (quality > most) {
      most = quality
      best = offer
    }
  }
  if (best === null) throw new Refusal('not-acceptable', `Accept: ${accept} leaves nothing that this can be: ${offers.join(', ')}`)
  return best
}
