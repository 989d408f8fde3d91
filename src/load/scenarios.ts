// The server's five ways to serve a request that has to wait. They differ only in where it waits.

export interface Lane {
  name: LaneName
  /** The path that takes `ms` in this way. */
  path: (ms: number) => string
  /** Where the time goes, as text. */
  where: string
}

export const LANE_NAMES = ['inline', 'sensitive', 'sensitive-per-request', 'pool', 'async'] as const
export type LaneName = (typeof LANE_NAMES)[number]

export const LANES: readonly Lane[] = [
  { name: 'inline', path: (ms) => `/handlers/sync?thread=inline&ms=${ms}`, where: 'on the loop\'s own thread' },
  { name: 'sensitive', path: (ms) => `/handlers/sync?thread=sensitive&ms=${ms}`, where: 'on the one sync thread' },
  { name: 'sensitive-per-request', path: (ms) => `/handlers/sync?thread=sensitive&scope=request&ms=${ms}`, where: 'on a sync thread of each request\'s own' },
  { name: 'pool', path: (ms) => `/handlers/sync?thread=pool&ms=${ms}`, where: 'on the pool\'s threads' },
  { name: 'async', path: (ms) => `/handlers/async?ms=${ms}`, where: 'on no thread: a sleeping task occupies none' },
]

export function laneOf(name: LaneName): Lane {
  return LANES.find((lane) => lane.name === name)!
}
