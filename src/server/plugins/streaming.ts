// What the app itself offers of what its observer sees: runs of examples, and the stream on this very port. Decorates `runs`.
import websocket from '@fastify/websocket'
import fp from 'fastify-plugin'
import type { App } from '../app.ts'
import { ownAddress } from '../ownaddress.ts'
import { Runs } from '../runs.ts'

/** The largest message that a client of the stream may send. */
const MESSAGE_LIMIT = 4096

export const streaming = fp(async (app) => {
  app.decorate('runs', new Runs(app.loopscope, app.observer, { most: app.config.maxRuns }))
  // The observer passes on what only the app can do, such as starting a run.
  app.addHook('onListen', (done) => {
    app.observer.send({ type: 'app', address: ownAddress(app as unknown as App) })
    done()
  })
  await app.register(websocket, { options: { maxPayload: MESSAGE_LIMIT } })
}, { name: 'streaming', dependencies: ['loopscope'] })
