// It answers each request after a block of 300 ms; and ends at /end, with code 3.
import { createServer } from 'node:http'

function blockingHandler(request, response) {
  if (request.url === '/end') process.exit(3)
  for (const end = performance.now() + 300; performance.now() < end;);
  response.end('done')
}

createServer(blockingHandler).listen(0, '127.0.0.1', function () {
  console.log(`port ${this.address().port}`)
})
