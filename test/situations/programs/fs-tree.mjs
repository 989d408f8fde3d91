// Files of a whole tree, read synchronously.
// asks: /wait /index
// expects: function=walk line=here kind=javascript,system-call request=/index
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { serve } from './serve.mjs'

const folder = join(dirname(process.execPath), '..', 'lib')

function walk(until) {
  let bytes = 0
  while (performance.now() < until) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) { // here
      if (performance.now() > until) break
      if (entry.isFile()) bytes += readFileSync(join(entry.parentPath ?? entry.path, entry.name)).length // here
    }
  }
  return bytes
}

serve({ '/index': () => walk(performance.now() + 900) })
