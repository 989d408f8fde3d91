// Watches the app's loop: a recorder, whoever subscribes to it, and the runs of examples. Decorates `recorder`, `fanout`
// and `runs`.
import websocket from '@fastify/websocket'
import fp from 'fastify-plugin'
import { Fanout } from '../../stream/fanout.ts'
import { observe } from '../observe.ts'
import { Runs } from '../runs.ts'

/** The largest message that a client of the stream may send. */
const MESSAGE_LIMIT = 4096

export const streaming = fp(async (app) => {
  const recorder = observe(app.loopscope, { history: app.config.history })
  const fanout = new Fanout(recorder)
  app.decorate('recorder', recorder)
  app.decorate('fanout', fanout)
  app.decorate('runs', new Runs(recorder, { most: app.config.maxRuns }))
  await app.register(websocket, { options: { maxPayload: MESSAGE_LIMIT } })
  app.addHook('preClose', (done) => {
    recorder.finish()
    fanout.end('the server is closing')
    done()
  })
}, { name: 'streaming', dependencies: ['loopscope'] })
