// What the app itself offers of what its observer sees: runs of examples, and the stream on this very port. Decorates `runs`.
import fp from 'fastify-plugin'
import type { App } from './app.ts'
import { ownAddress } from './self-url.ts'
import { Runs } from './runs.ts'
import { websockets } from '../http/websockets.ts'

export const streaming = fp(async (app) => {
  app.decorate('runs', new Runs(app.loopscope, app.observer, { most: app.config.maxRuns }))
  // The observer passes on what only the app can do, such as starting a run.
  app.addHook('onListen', (done) => {
    app.observer.serves(ownAddress(app as unknown as App))
    done()
  })
  await app.register(websockets)
}, { name: 'streaming', dependencies: ['loopscope'] })
