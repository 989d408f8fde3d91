// The served paths, in one place: for the routes, the port that passes requests on, the page, and the development server.

/** Answered alike on both ports. */
export const paths = {
  events: '/events', loops: '/loops', tasks: '/tasks', runs: '/runs', stalls: '/stalls', trace: '/trace', metrics: '/metrics', healthz: '/healthz', livez: '/livez', readyz: '/readyz',
} as const

/** What only the app can do; the observer's port passes it on. */
export const appPaths = { examples: '/examples', handlers: '/handlers', ping: '/ping', lab: '/lab' } as const

/** A request with this header is one of the live page, which only watches: it counts as delayed by no stall. It has no other effect. */
export const PAGE_HEADER = 'x-loopscope-page'

const { examples, handlers, ping, lab } = appPaths

export const passedOn = [
  ['GET', examples], ['GET', `${examples}/*`], ['POST', `${examples}/*`], ['GET', `${handlers}/*`], ['GET', ping], ['GET', lab], ['GET', `${lab}/*`], ['POST', lab], ['DELETE', `${lab}/*`],
] as const
