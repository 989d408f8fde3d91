// A plain Node server without a loop of loopscope, observed: /block?ms= blocks its thread.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { observe } from '../../../src/observe/index.ts'

function computeReport(ms: number): void {
  const end = performance.now() + ms
  while (performance.now() < end);
}

const { url } = await observe({ port: 0 })
const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
  if (pathname === '/block') computeReport(Number(searchParams.get('ms')))
  response.end('done')
})
server.listen(0, '127.0.0.1', () => console.log(`app http://127.0.0.1:${(server.address() as AddressInfo).port} observer ${url}`))
