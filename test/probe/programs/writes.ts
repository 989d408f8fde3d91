// Writes records into a ring as fast as there is room, and publishes few of them.
import { workerData } from 'node:worker_threads'
import type { Shared } from '../../../src/probe/layout.ts'
import { HEAD } from '../../../src/probe/record-schema.ts'
import { RingWriter } from '../../../src/probe/ring.ts'

const { shared, records } = workerData as { shared: Shared; records: number }
const ring = new RingWriter(shared)
for (let n = 1; n <= records; n++) {
  while (!ring.fits(3)) ring.recover()
  if (n % 10 === 0) ring.put(HEAD.printed, n, n, ring.putText(`${n} is written`))
  else ring.put(HEAD.queue.put, n, n, n, n, n, n)
  if (n % 700 === 0) ring.publish()
}
