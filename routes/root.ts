// The start page: a guide in plain text for curl; browsers are redirected to the live view.
import { z } from 'zod'
import type { App } from '../src/server/app.ts'
import { within } from '../src/http/fields.ts'
import { negotiate } from '../src/http/negotiate.ts'

/** `view`: where the live view is; `ms`: for how long the handlers of the examples block. */
function guide(base: string, view: string, ms: number): string {
  return `loopscope: asyncio for TypeScript, on an event loop you can see.
Every request here is a task on one event loop. Copy a line:

The tutorial's five examples: what each prints, as it prints it
  curl -N ${base}/examples/1/run
  curl -N ${base}/examples/2/run
  curl -N ${base}/examples/3/run
  curl -N ${base}/examples/4/run
  curl -N ${base}/examples/5/run                  # until Ctrl-C
  curl ${base}/examples/4                         # what to look for, and its sources

The same in virtual time: at once, with a timeline, with random values from a seed
  curl -N "${base}/examples/4/run?clock=virtual&draw"
  curl -N "${base}/examples/5/run?clock=virtual&items=1&seed=7"

The same programs as an ASGI application, and the messages that it gets
  curl -N ${base}/asgi/examples/3
  curl -d hello ${base}/asgi/messages

Stall the loop, and in a second terminal see what blocks it
  curl "${base}/handlers/sync?thread=inline&ms=${ms}"
  curl -i ${base}/ping

The ways out: the ping is answered at once meanwhile
  curl "${base}/handlers/async?ms=${ms}"
  curl "${base}/handlers/sync?thread=sensitive&ms=${ms}"
  curl "${base}/handlers/sync?thread=pool&ms=${ms}"

What is going on
  curl ${base}/tasks
  curl ${base}/runs
  curl ${base}/loops                              # of all processes that share a Redis
  curl -N ${base}/events                          # until Ctrl-C
  curl ${base}/metrics

In a browser: ${view} (live), ${base}/docs (the API)
`
}

export default function root(app: App): void {
  app.get('/', { config: { page: true }, schema: { summary: 'The guide', tags: ['guide'], querystring: z.strictObject({}) } }, function* (request, reply) {
    const type = negotiate(request.headers.accept, ['text/plain', 'text/html'])
    const view = app.config.observerUrl ?? observerOf(request.headers.host, app.observer.port)
    if (type === 'text/html') {
      reply.code(302).header('location', view)
      return ''
    }
    reply.type('text/plain; charset=utf-8')
    const base = `http://${request.headers.host ?? 'localhost'}`
    return guide(base, new URL(view, base).href, within(3000, 0, app.config.maxMs))
  })
}

/** The observer's page under the host name that the client used; otherwise the app's own page. */
function observerOf(host: string | undefined, port: number | null): string {
  if (host === undefined || port === null) return '/view'
  return `http://${host.replace(/:\d+$/, '')}:${port}/`
}
