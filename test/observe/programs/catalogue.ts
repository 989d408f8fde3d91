// A web app that freezes now and then, and knows nothing of loopscope but the line that starts the observer.
import type { AddressInfo } from 'node:net'
import { createServer as createApp } from 'node:http'
import { observe } from '../../../src/observe/index.ts'

const observer = await observe({ port: 0 })
const products = Array.from({ length: 200_000 }, (_, index) => ({ id: index, name: `product ${(index * 7919) % 200_000}` }))

function rebuildIndex(): Map<string, number> {
  const end = performance.now() + 600
  let index = new Map<string, number>()
  while (performance.now() < end) index = new Map(products.map(({ id, name }) => [name, id]))
  return index
}

let index = rebuildIndex()
setInterval(() => { index = rebuildIndex() }, 2000)

const app = createApp((request, response) => { response.end(String(index.get(request.url ?? ''))) })
app.listen(0, '127.0.0.1', () => {
  console.log(`app http://127.0.0.1:${(app.address() as AddressInfo).port} observer ${observer.url}`)
})
