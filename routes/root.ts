// The way in: a guide in plain text for curl, and for browsers a plain page that shows the live stream.
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { App } from '../src/server/app.ts'
import { negotiate } from '../src/server/negotiate.ts'

const PAGES = new URL('../src/server/pages/', import.meta.url)
const FILES = [['/view', 'view.html', 'text/html'], ['/view.js', 'view.js', 'text/javascript'], ['/view.css', 'view.css', 'text/css']] as const

function guide(base: string): string {
  return `loopscope: asyncio for TypeScript, on an event loop you can see.
Every request here is a task on one event loop. Copy a line:

The tutorial's five examples: what each prints, as it prints it
  curl -N ${base}/examples/1/run
  curl -N ${base}/examples/2/run
  curl -N ${base}/examples/3/run
  curl -N ${base}/examples/4/run
  curl -N ${base}/examples/5/run                  # until Ctrl-C
  curl -N "${base}/examples/4/run?draw"           # with its timeline
  curl -N "${base}/examples/5/run?clock=virtual&items=3&seed=1"
  curl ${base}/examples/4                         # explanation and sources

Stall the loop, and in a second terminal see who did
  curl "${base}/handlers/sync?thread=inline&ms=5000"
  curl -i ${base}/ping

The ways out
  curl "${base}/handlers/async?ms=5000"
  curl "${base}/handlers/sync?thread=sensitive&ms=5000"
  curl "${base}/handlers/sync?thread=pool&ms=5000"

What is going on
  curl ${base}/tasks
  curl ${base}/runs
  curl -N ${base}/events
  curl ${base}/metrics

In a browser: ${base}/view (live), ${base}/docs (the API)
`
}

export default function root(app: App): void {
  app.get('/', { schema: { summary: 'The guide', tags: ['guide'], querystring: z.strictObject({}) } }, function* (request, reply) {
    const type = negotiate(request.headers.accept, ['text/plain', 'text/html'])
    if (type === 'text/html') {
      reply.code(302).header('location', app.config.observerUrl ?? '/view')
      return ''
    }
    reply.type('text/plain; charset=utf-8')
    return guide(`http://${request.headers.host ?? 'localhost'}`)
  })

  for (const [url, file, type] of FILES) {
    const text = readFileSync(new URL(file, PAGES), 'utf8')
    app.get(url, { schema: { hide: true } }, function* (_request, reply) {
      reply.type(`${type}; charset=utf-8`)
      return text
    })
  }
}
