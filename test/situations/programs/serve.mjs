// A plain HTTP server: a function for each path, whose result is the answer.
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** `/wait` is there as well: an innocent request that is under way for 1.5 s. */
export function serve(handlers) {
  const all = { '/wait': async () => { await sleep(1500); return 'waited' }, ...handlers }
  const server = createServer(async (request, response) => {
    try {
      response.end(String(await all[request.url]()).slice(0, 100))
    } catch (error) {
      response.writeHead(500).end(error.message)
    }
  })
  server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`))
}
